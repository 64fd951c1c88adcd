//! What may be blocked, by whom, and for how long.

use std::{fmt, str::FromStr};

use crate::guard;
use sensor_analysis::detect::clinical::CLINICAL_AFTER;
use sensor_facts::{
    as_text,
    setting::{Network, Span},
    target::Protected,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// What the policy may do with a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing: it says what it would do.
    #[default]
    Observe,
    /// It proposes a rule, which a person approves.
    Propose,
    /// It blocks by itself, within the limits.
    Automatic,
}

impl Mode {
    /// As in the configuration.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::Automatic => "automatic",
        }
    }
}

/// An address, Ethernet address or subnet of the never-block list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Never(pub Protected);

impl FromStr for Never {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let what = text.parse()?;
        guard::check_protection(&what).map_err(|refusal| refusal.to_string())?;
        Ok(Self(what))
    }
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Never);

/// Devices that the policy treats alike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its devices and subnets.
    pub members: Vec<Network>,
    /// What the policy may do about them.
    pub mode: Mode,
}

/// What may be blocked, by whom, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Containment {
    /// For devices of no group.
    pub mode: Mode,
    /// What no rule ever blocks, beside `wardtap protect`.
    pub protect: Vec<Never>,
    /// `automatic` waits for a second finding of another kind.
    pub second_finding: bool,
    /// Within this time of the first.
    pub second_within: Span,
    /// Rules of the policy at once, at most.
    pub max_rules: u32,
    /// Rules of the policy in a minute, at most.
    pub max_rules_per_minute: u32,
    /// Blocked devices of a subnet's known ones (/24, /64), per cent at most; one is always allowed.
    #[serde(deserialize_with = "percent")]
    pub max_subnet_percent: u8,
    /// Time to live of a device's first rule, its second, ...; the last goes on.
    #[serde(deserialize_with = "some_spans")]
    pub ttl: Vec<Span>,
    /// After a person lifted a rule the policy leaves its target alone for so long.
    pub cool_down: Span,
    /// Beyond this loss in the last minute, per cent, nothing is done by itself.
    #[serde(deserialize_with = "percent")]
    pub max_loss_percent: u8,
    /// Without the daemon for longer, all rules but sticky ones pass.
    pub heartbeat: Span,
    /// Clinical traffic counts as learnt when it was first seen so long ago.
    pub clinical_after: Span,
    /// Groups; the first that has a device counts.
    pub group: Vec<Group>,
}

impl Default for Containment {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            protect: Vec::new(),
            second_finding: true,
            second_within: Span::from_secs(600),
            max_rules: 20,
            max_rules_per_minute: 5,
            max_subnet_percent: 10,
            ttl: [600, 3_600, 14_400, 86_400].map(Span::from_secs).to_vec(),
            cool_down: Span::from_secs(3_600),
            max_loss_percent: 1,
            heartbeat: Span::from_secs(30),
            clinical_after: CLINICAL_AFTER,
            group: Vec::new(),
        }
    }
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(from)?;
    u8::try_from(number)
        .ok()
        .filter(|number| *number <= 100)
        .ok_or_else(|| D::Error::custom(format!("{number} is not from 0 to 100 per cent")))
}

fn some_spans<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Span>, D::Error> {
    let spans = Vec::deserialize(from)?;
    if spans.is_empty() {
        return Err(D::Error::custom("name at least one time to live"));
    }
    Ok(spans)
}
