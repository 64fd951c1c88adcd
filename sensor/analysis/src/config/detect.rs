//! What counts as usual, and when an alert is raised. What is suspicious is configured by
//! [`Detect`](crate::detect::Detect).

use sensor_facts::{section, setting::Span};
use serde::{Deserialize, Deserializer, de::Error};

section! {
    /// How Wardtap learns what is usual.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Baseline {
        /// The learning period: what a device does in this time after it was first seen is usual for it.
        pub learning: Span = Span::from_secs(7 * 86_400),
        /// After the learning period, something new becomes usual when it was first seen this long ago.
        pub settle: Span = Span::from_secs(86_400),
        /// When a device becomes suspect, what was learned about it in this time before is discarded.
        pub doubt: Span = Span::from_secs(3_600),
        /// And nothing is learned about it for this time.
        pub freeze: Span = Span::from_secs(3_600),
        /// The largest number of devices. Beyond it, a device without an established flow is forgotten first (these have an
        /// eighth of the room), then the one seen longest ago. A device takes about 11 kB with all that is stored about it.
        pub devices: u32 = 100_000 => unit "devices",
    }
}

impl Baseline {
    /// The key of a value that does not go with another, and what is wrong.
    #[must_use]
    pub fn mistake(&self) -> Option<(&'static str, String)> {
        (self.learning.as_nanos() < self.doubt.as_nanos()).then(|| {
            (
                "learning",
                format!(
                    "the learning period ({}) must be at least as long as baseline.doubt ({}), or everything would be new when it ends",
                    self.learning, self.doubt
                ),
            )
        })
    }
}

section! {
    /// When an alert is raised, and how often.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Alerting {
        /// The least confidence of an alert, from 0 to 1.
        #[serde(deserialize_with = "share")]
        pub confidence: f64 = 0.5 => unit "probability",
        /// An alert ends when nothing was added to it for this time.
        pub quiet: Span = Span::from_secs(3_600),
        /// How many alerts of low severity, and as many of medium severity, are raised in a day for each 1,000 devices, and
        /// at least in all. The others are listed as suppressed until they grow. Alerts of high and critical severity, of
        /// clinical devices, and of techniques by which someone gets between others, gets in, or takes data out are always
        /// raised.
        pub budget: u32 = 10 => unit "alerts a day",
        /// How long the label "benign" mutes such findings of the device.
        pub exception: Span = Span::from_secs(30 * 86_400),
    }
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("{number} is not from 0 to 1")))
    }
}
