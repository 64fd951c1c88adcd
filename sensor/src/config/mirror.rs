//! The section `[mirror]`: from when on something is wrong with what an interface brings.

use sensor_facts::{section, setting::Span};
use serde::{Deserialize, Deserializer, de::Error};

section! {
    /// When `wardtap status` warns about what an interface brings. docs/operating.md says why the defaults are what they are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mirror {
        /// For how long no packet may come. Where the hour before had longer pauses, four times the longest of them.
        pub silence: Span = Span::from_secs(20),
        /// For how long a VLAN or subnet may be silent from which at least three addresses talked, while others go on. Where
        /// it had longer pauses, four times the longest of them.
        pub network_silence: Span = Span::from_secs(30),
        /// How long an interface, VLAN or subnet is watched before its pauses and its traffic count as usual.
        pub warm_up: Span = Span::from_secs(600),
        /// By how much packets and active conversations must both fall below the quietest 20 seconds of the hour before.
        #[serde(deserialize_with = "percent")]
        pub drop_percent: u8 = 80 => unit "percent",
        /// The share of TCP conversations that may be seen in one direction only.
        #[serde(deserialize_with = "percent")]
        pub one_direction_percent: u8 = 30 => unit "percent",
        /// The share of packets that may be second copies.
        #[serde(deserialize_with = "percent")]
        pub duplicates_percent: u8 = 5 => unit "percent",
        /// The share of packets that may be cut before the end of what their IP header says.
        #[serde(deserialize_with = "percent")]
        pub truncated_percent: u8 = 1 => unit "percent",
    }
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let number = u8::deserialize(from)?;
    if (1..=100).contains(&number) {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("{number} is not from 1 to 100")))
    }
}
