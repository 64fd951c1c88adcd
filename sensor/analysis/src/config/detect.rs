//! What counts as usual, and what a person is told. What is suspicious is configured by
//! [`Detect`](crate::detect::Detect).

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use sensor_facts::setting::Span;

/// How the usual is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// What a device does in this time from when it was first seen is its usual.
    pub learning: Span,
    /// Later, something new is usual when it was first seen so long ago.
    pub settle: Span,
    /// When a device is suspected, what was learnt of it in this time before is forgotten.
    pub doubt: Span,
    /// And nothing is learnt of it for this time.
    pub freeze: Span,
    /// Devices, at most; the one seen longest ago makes room.
    pub devices: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            learning: Span::from_secs(7 * 86_400),
            settle: Span::from_secs(86_400),
            doubt: Span::from_secs(3_600),
            freeze: Span::from_secs(3_600),
            devices: 100_000,
        }
    }
}

/// When a person is told, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerting {
    /// Least confidence of an alert, 0 to 1.
    #[serde(deserialize_with = "share")]
    pub confidence: f64,
    /// An alert is over when nothing was added to it for so long.
    pub quiet: Span,
    /// Alerts of low and medium severity in a day for each 1,000 devices, at least as many at all; what comes
    /// beyond is kept back. High and critical ones never are.
    pub budget: u32,
    /// How long an exception lasts that the label "benign" makes.
    pub exception: Span,
}

impl Default for Alerting {
    fn default() -> Self {
        Self {
            confidence: 0.5,
            quiet: Span::from_secs(3_600),
            budget: 10,
            exception: Span::from_secs(30 * 86_400),
        }
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
