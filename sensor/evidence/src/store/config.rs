//! The section `[store]`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::store::{Keep, StoreOptions};
use sensor_facts::setting::{Size, Span};

/// What the daemon keeps for reports and people, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Whether it is kept at all.
    pub enabled: bool,
    /// Events that may wait for a slow disk; what comes beyond is dropped and counted.
    pub max_queue: usize,
    /// How long flows are kept.
    pub flows: Span,
    /// How long sessions of DICOM, HL7 and TLS are kept.
    pub sessions: Span,
    /// How long the daemon's counters are kept.
    pub statistics: Span,
    /// How long it is kept who talked to whom.
    pub contacts: Span,
    /// How long findings, alerts, rules, and what people and policy did are kept.
    pub alerts: Span,
    /// Of all that at most so much.
    pub max_size: Size,
}

const DAY: u64 = 86_400;

impl Default for Store {
    fn default() -> Self {
        let options = StoreOptions::new("");
        let keep = options.keep;
        let days = |kept: std::time::Duration| Span::from_secs(kept.as_secs() / DAY * DAY);
        Self {
            enabled: true,
            max_queue: options.queue,
            flows: days(keep.flows),
            sessions: days(keep.sessions),
            statistics: days(keep.statistics),
            contacts: days(keep.contacts),
            alerts: days(keep.alerts),
            max_size: Size::bytes(keep.bytes),
        }
    }
}

impl Store {
    /// What the store is made with, if it is to be.
    #[must_use]
    pub fn options(&self, folder: &Path) -> Option<StoreOptions> {
        let options = StoreOptions {
            queue: self.max_queue,
            keep: Keep {
                flows: self.flows.into(),
                sessions: self.sessions.into(),
                statistics: self.statistics.into(),
                contacts: self.contacts.into(),
                alerts: self.alerts.into(),
                bytes: self.max_size.get(),
            },
            ..StoreOptions::new(folder)
        };
        self.enabled.then_some(options)
    }
}
