//! How the store stands, and what it is handed beside events.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use sensor_facts::{lock::lock, time::Time};
use sensor_sessions::inventory::HostReport;
use serde::{Deserialize, Serialize};

/// How the store stands. What became of events is in the account of the output `store`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Files of flows.
    pub history_files: u64,
    /// Bytes of these.
    pub history_bytes: u64,
    /// The hour that the oldest of them is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_since: Option<Time>,
    /// Flows that are in no file yet.
    pub flows_waiting: u64,
    /// What was removed because of its age or for want of space, by kind: files of flows, rows of all others.
    pub removed: BTreeMap<String, u64>,
    /// There is more than `store.max_size`, and nothing left that may be removed.
    pub too_large: bool,
    /// Where a damaged database was moved to since the daemon's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// Why files can't be written or old things removed now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// A view of the store for those who do not write to it, and the way of the devices into it.
#[derive(Clone, Debug, Default)]
pub struct StoreHandle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    status: Mutex<StoreStatus>,
    devices: Mutex<Option<Vec<HostReport>>>,
}

impl StoreHandle {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        lock(&self.0.status).clone()
    }

    /// Hands the devices over as they are now, instead of those that still wait.
    pub fn put_devices(&self, hosts: Vec<HostReport>) {
        *lock(&self.0.devices) = Some(hosts);
    }

    pub(super) fn take_devices(&self) -> Option<Vec<HostReport>> {
        lock(&self.0.devices).take()
    }

    /// Puts devices back that could not be written, unless newer ones are there.
    pub(super) fn give_back(&self, hosts: Vec<HostReport>) {
        lock(&self.0.devices).get_or_insert(hosts);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut StoreStatus)) {
        change(&mut lock(&self.0.status));
    }
}
