//! State of the response thread that other threads read without asking it.

use std::sync::Arc;

use sensor_analysis::Account;
use sensor_facts::effect::WatchList;

use super::Summary;

/// What others may read without asking.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) watch: Arc<WatchList>,
    pub(crate) summary: Arc<Summary>,
    pub(crate) account: Arc<Account>,
    /// Packets and ring events of the last minute, and how many of these were lost to the evidence.
    pub(crate) loss: (u64, u64),
}
