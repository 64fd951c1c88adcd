//! What may be blocked, by whom, and for how long.

use std::{fmt, str::FromStr};

use sensor_analysis::detect::clinical::CLINICAL_AFTER;
use sensor_facts::{
    as_text, item, section,
    setting::{Network, Span},
    target::Protected,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::guard;

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

item! {
    /// Devices that have a mode of their own. If several groups have a device, the first counts.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Group {
        /// Its name.
        pub name: String => required "guests",
        /// Its devices and subnets.
        pub members: Vec<Network> => required ["10.9.0.0/16"],
        /// What the policy may do about them: `observe`, `propose` or `automatic`.
        pub mode: Mode => required Mode::Automatic,
    }
}

section! {
    /// What may be blocked, by whom, and for how long.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Containment {
        /// What the policy may do about a finding: `observe` (record what it would do), `propose` (a person approves the
        /// rule) or `automatic` (block within the limits below). Groups may have another mode.
        pub mode: Mode = Mode::default(),
        /// What no rule ever blocks, besides what `wardtap protect` lists: addresses, Ethernet addresses, subnets.
        pub protect: Vec<Never> = Vec::new() => unit "addresses, subnets",
        /// Whether `automatic` waits for a second finding of another kind.
        pub second_finding: bool = true,
        /// The second finding must come within this time of the first.
        pub second_within: Span = Span::from_secs(600),
        /// How many rules of the policy may be in force at once.
        pub max_rules: u32 = 20 => unit "rules",
        /// How many rules the policy may add in a minute.
        pub max_rules_per_minute: u32 = 5 => unit "rules a minute",
        /// How many of a subnet's known devices (/24 or /64) the policy may block. One is always allowed.
        #[serde(deserialize_with = "percent")]
        pub max_subnet_percent: u8 = 10 => unit "percent",
        /// How long a device's first rule lasts, its second, and so on. Each one after that lasts as long as the last.
        #[serde(deserialize_with = "some_spans")]
        pub ttl: Vec<Span> = [600, 3_600, 14_400, 86_400].map(Span::from_secs).to_vec(),
        /// After a person removed a rule, the policy leaves its target alone for this time.
        pub cool_down: Span = Span::from_secs(3_600),
        /// When more than this share of events or packets was lost in the last minute, the policy adds no rules.
        #[serde(deserialize_with = "percent")]
        pub max_loss_percent: u8 = 1 => unit "percent",
        /// If the daemon is down for longer than this, every rule stops blocking, except sticky ones.
        pub heartbeat: Span = Span::from_secs(30),
        /// Clinical traffic counts as known when it was first seen this long ago.
        pub clinical_after: Span = CLINICAL_AFTER,
        /// Groups of devices with a mode of their own.
        pub group: Vec<Group> = Vec::new() => list Group,
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
