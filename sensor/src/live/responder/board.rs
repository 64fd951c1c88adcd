//! What the response thread lets others read without asking.

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
}
