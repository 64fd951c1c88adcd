//! Patient data in clear text: DICOM or HL7 without TLS (HIPAA 164.312(e)(1)). An exposure, not an attack.

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "clear_text",
    techniques: &["T1040"],
    finds: "DICOM or HL7 without TLS: an exposure, never an alert",
    starts: Starts::AtOnce,
    wrong_if: &["the way between both is encrypted below IP"],
    thresholds: &[],
    features: &[],
    new: |values| Box::new(ClearText::new(values)),
};

/// Pairs that are remembered; each is told once.
const PAIRS: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");

pub(super) struct ClearText(CountedLru<(IpAddr, IpAddr, bool), ()>);

impl ClearText {
    fn new(_: &Values) -> Self {
        Self(CountedLru::new(PAIRS))
    }
}

impl Detector for ClearText {
    fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    fn observe(&mut self, seen: &Observation, _: &Site<'_>) -> Option<Draft> {
        let hl7 = match &seen.what {
            What::Association { .. } => false,
            What::Hl7(_) => true,
            _ => return None,
        };
        let pair = (seen.client.ip(), seen.server.ip(), hl7);
        if self.0.put(pair, ()).is_some() {
            return None;
        }
        Some(Draft {
            basis: Basis::Exposure,
            evidence: format!(
                "{} with {} is not encrypted: whoever hears it can read patient data",
                if hl7 { "HL7" } else { "DICOM" },
                seen.server.ip()
            ),
            ..Draft::about_server(seen)
        })
    }
}
