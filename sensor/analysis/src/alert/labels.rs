//! What people's labels of a detector's alerts say of its word.

use serde::{Deserialize, Serialize};

/// So many labels of a detector's alerts are needed before they count.
const LABELS_MIN: u32 = 5;

/// Labels that a detector's alerts got.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Labels {
    pub(super) benign: u32,
    pub(super) malicious: u32,
}

/// What a detector's word is worth, by its labels: one alone changes nothing.
pub(super) fn weight(labels: Option<&Labels>) -> f64 {
    let Some(labels) = labels else { return 1.0 };
    let all = labels.benign + labels.malicious;
    if all < LABELS_MIN {
        return 1.0;
    }
    (f64::from(labels.malicious + 2) / f64::from(all + 2)).clamp(0.5, 1.0)
}
