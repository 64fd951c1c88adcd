//! What a device is.

use std::borrow::Cow;

use sensor_facts::time::Time;
use serde::{Deserialize, Serialize};

/// What a device is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It makes images.
    Modality,
    /// It keeps images and gives them out.
    Archive,
    /// It plans examinations (worklist), as a radiology information system does.
    Worklist,
    /// It passes HL7 messages on.
    InterfaceEngine,
    /// It keeps records: an electronic health record or another information system.
    HealthRecord,
    /// It speaks for infusion pumps.
    PumpGateway,
    /// It speaks for patient monitors.
    MonitorGateway,
    /// An infusion pump.
    InfusionPump,
    /// A patient monitor.
    PatientMonitor,
    /// People work at it.
    Workstation,
    /// It offers services of another kind: [`RoleReport::detail`].
    Server,
    /// A printer.
    Printer,
    /// It moves packets.
    NetworkDevice,
    /// Too little was seen.
    #[default]
    Unknown,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Modality,
        Self::Archive,
        Self::Worklist,
        Self::InterfaceEngine,
        Self::HealthRecord,
        Self::PumpGateway,
        Self::MonitorGateway,
        Self::InfusionPump,
        Self::PatientMonitor,
        Self::Workstation,
        Self::Server,
        Self::Printer,
        Self::NetworkDevice,
        Self::Unknown,
    ];

    /// The role as a word of the command line and of the configuration.
    #[must_use]
    pub fn word(self) -> String {
        self.label().replace(' ', "-")
    }

    /// The role of such a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The role in words, for lists and reports.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Modality => "modality",
            Self::Archive => "archive",
            Self::Worklist => "worklist",
            Self::InterfaceEngine => "interface engine",
            Self::HealthRecord => "health record",
            Self::PumpGateway => "pump gateway",
            Self::MonitorGateway => "monitor gateway",
            Self::InfusionPump => "infusion pump",
            Self::PatientMonitor => "patient monitor",
            Self::Workstation => "workstation",
            Self::Server => "server",
            Self::Printer => "printer",
            Self::NetworkDevice => "network device",
            Self::Unknown => "unknown",
        }
    }
}

/// A role with its reasons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoleReport {
    /// What it is.
    pub role: Role,
    /// Which kind of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'static, str>>,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Since when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}
