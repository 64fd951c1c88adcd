//! What a detector says about itself.

use super::{
    detector::Detector,
    threshold::{Threshold, Values},
};
use crate::baseline::Feature;

/// Everything that others need to know about a detector. Documentation, configuration, the event schema, explanations
/// and reports are made from it.
pub struct About {
    /// Its name in findings and in the configuration. It never changes.
    pub id: &'static str,
    /// ATT&CK techniques. A finding that names none has the first.
    pub techniques: &'static [&'static str],
    /// What it finds, a phrase.
    pub finds: &'static str,
    /// From when on it finds something.
    pub starts: Starts,
    /// What would make a finding wrong. A finding that says nothing else has the first.
    pub wrong_if: &'static [&'static str],
    /// Its keys in the configuration.
    pub thresholds: &'static [Threshold],
    /// The amounts that explain a finding best; they are added to findings that bring none of their own.
    pub features: &'static [Feature],
    /// Makes one.
    pub(crate) new: fn(&Values) -> Box<dyn Detector>,
}

/// From when on a detector finds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// From the first packet on.
    AtOnce,
    /// When it knows what is usual of the device, or of devices of its kind.
    WithHistory,
    /// When the learning period is over.
    AfterLearning,
}

impl Starts {
    /// For documentation.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::WithHistory => "with history",
            Self::AfterLearning => "after learning",
        }
    }
}
