//! The section `[store]`.

use std::{path::Path, time::Duration};

use sensor_facts::{
    section,
    setting::{Size, Span},
};

use crate::store::{Keep, StoreOptions};

section! {
    /// What is stored for reports and people, and how long. It is in the state directory: store.sqlite and files of flows.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Store {
        /// Whether anything is stored.
        pub enabled: bool = true,
        /// How many events may wait for a slow disk. Those beyond are dropped and counted.
        pub max_queue: usize = StoreOptions::new("").queue => unit "events",
        /// How long flows are kept.
        pub flows: Span = days(StoreOptions::new("").keep.flows),
        /// How long sessions of DICOM, HL7 and TLS are kept.
        pub sessions: Span = days(StoreOptions::new("").keep.sessions),
        /// How long the daemon's counters are kept.
        pub statistics: Span = days(StoreOptions::new("").keep.statistics),
        /// How long the hourly record of who talked to whom is kept.
        pub contacts: Span = days(StoreOptions::new("").keep.contacts),
        /// How long findings, alerts, rules and what people and policy did are kept. HIPAA asks to keep such
        /// documentation for six years (45 CFR 164.316(b)(2)(i)). It is never removed for lack of space.
        pub alerts: Span = days(StoreOptions::new("").keep.alerts),
        /// The largest size of all that. Beyond it the oldest are removed: first flows, then sessions, counters and
        /// contacts.
        pub max_size: Size = Size::bytes(StoreOptions::new("").keep.bytes),
    }
}

const DAY: u64 = 86_400;

fn days(kept: Duration) -> Span {
    Span::from_secs(kept.as_secs() / DAY * DAY)
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
