//! How analysis stands at one moment: for status and metrics.

use std::collections::BTreeMap;

use crate::{alert::Standing, baseline::Census, behaviour::Spending, incident};

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Findings since the start by detector, also of those that found nothing; without excepted ones.
    pub findings: BTreeMap<String, u64>,
    /// Detectors that the configuration switches off.
    pub off: Vec<String>,
    /// Suspects that detectors forgot to make room for others, and confirmed addresses that made room.
    pub evicted: u64,
    /// The alerts.
    pub alerts: Standing,
    /// The incidents.
    pub incidents: incident::Standing,
    /// The devices.
    pub census: Census,
    /// Alerts kept as cases, by label: benign, malicious.
    pub cases: (u64, u64),
    /// How the budget of false alerts of `unusual_behaviour` was spent, where it is on.
    pub spending: Option<Spending>,
    /// Why what was learnt can't be written now.
    pub failing: Option<String>,
}
