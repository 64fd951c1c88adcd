//! The section `[audit]`, and what a trail is made with.

use std::{path::PathBuf, time::Duration};

use sensor_facts::{
    section,
    setting::{Size, Span},
};

/// Size of a segment, unless set: about 20,000 entries, which a start verifies in a second or two.
const SEGMENT: u64 = 16 << 20;
/// Largest size of a trail, unless set.
const TOTAL: u64 = 4 << 30;
/// Seconds that a summary of repeated findings covers, unless set.
const SUMMARY: u64 = 300;

section! {
    /// The audit trail: how it is split, how large it may grow, and where its oldest part goes. It is in the state directory.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Audit {
        /// The size of a segment with its signatures. A start verifies the last segment before it listens, and the others in
        /// the background, so a small segment makes a fast start.
        pub segment_size: Size = Size::bytes(SEGMENT),
        /// The largest size of all segments. Beyond it the oldest ones are removed, and an entry says so. The segment that is
        /// written and the one before it always stay.
        pub max_size: Size = Size::bytes(TOTAL),
        /// The folder that the oldest segments are copied to before they are removed. With it, a segment that can't be copied
        /// stays, whatever the size. Without it, removed segments are lost. The service's user must be able to write there.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub export: Option<PathBuf> = None => example "/srv/wardtap-audit",
        /// Findings that repeat (same device, detector and decision) have one entry for this time, which counts them. The
        /// first one always has an entry at once, and so has every decision that changes a rule.
        pub summary: Span = Span::from_secs(SUMMARY),
    }
}

/// What a trail is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailOptions {
    /// Bytes of a segment, beyond which the next one begins.
    pub segment_bytes: u64,
    /// Bytes of all segments, beyond which the oldest are removed.
    pub max_bytes: u64,
    /// Where they are copied to before.
    pub export: Option<PathBuf>,
    /// How long repeated findings are counted before they have an entry.
    pub summary: Duration,
}

impl Default for TrailOptions {
    fn default() -> Self {
        Audit::default().options()
    }
}

impl Audit {
    /// What the trail is made with.
    #[must_use]
    pub fn options(&self) -> TrailOptions {
        TrailOptions {
            segment_bytes: self.segment_size.get(),
            max_bytes: self.max_size.get(),
            export: self.export.clone(),
            summary: self.summary.into(),
        }
    }
}
