//! What the control socket answers: JSON over HTTP, one version of it.
//!
//! Flows and sessions are the events of `docs/events.schema.json`, so that a program reads one schema
//! wherever it gets them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{event::Time, inventory::HostReport};

/// Answers [`Status`].
pub const STATUS: &str = "/v1/status";
/// Answers a [`Page`] of events.
pub const FLOWS: &str = "/v1/flows";
/// Answers a [`Page`] of events; [`Query::protocol`] chooses.
pub const SESSIONS: &str = "/v1/sessions";
/// Answers a [`Page`] of [`HostReport`].
pub const DEVICES: &str = "/v1/devices";

/// Most items that one page holds.
pub const LIMIT_MAX: usize = 1_000;

/// Hosts as a page.
pub type Devices = Page<HostReport>;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Items at most, up to [`LIMIT_MAX`].
    pub limit: usize,
    /// Items to leave out.
    pub offset: usize,
    /// For sessions: `dicom`, `hl7` or `tls`; all without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            limit: 100,
            offset: 0,
            protocol: None,
        }
    }
}

/// The request target of a list.
#[must_use]
pub fn target(path: &str, query: &Query) -> String {
    let protocol = query
        .protocol
        .as_ref()
        .map_or_else(String::new, |name| format!("&protocol={name}"));
    format!(
        "{path}?limit={}&offset={}{protocol}",
        query.limit, query.offset
    )
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Page<T> {
    /// Items that there are.
    pub total: usize,
    /// Those asked for.
    pub items: Vec<T>,
}

impl<T> Page<T> {
    /// The part of `items` that `query` asks for.
    #[must_use]
    pub fn of(items: Vec<T>, query: &Query) -> Self {
        let total = items.len();
        let limit = query.limit.min(LIMIT_MAX);
        Self {
            total,
            items: items.into_iter().skip(query.offset).take(limit).collect(),
        }
    }
}

/// How the daemon fares.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Status {
    /// Version of the daemon.
    pub version: String,
    /// When it began to listen.
    pub start: Time,
    /// When this was measured.
    pub time: Time,
    /// The interfaces.
    pub interfaces: Vec<InterfaceStatus>,
    /// The ring buffer, by kind of event.
    pub ring: Vec<RingStatus>,
    /// The flow tables.
    pub flows: FlowStatus,
    /// Counters of the pipeline, by name.
    pub pipeline: BTreeMap<String, u64>,
    /// Where events go.
    pub output: OutputStatus,
    /// What is wrong or likely to mislead, in words.
    pub warnings: Vec<String>,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// `driver` or `generic`.
    pub mode: String,
    /// Frames may come in several buffers, of which the first is read.
    pub frags: bool,
    /// Why it is not the best mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// All kernel counters, by name.
    pub counters: BTreeMap<String, u64>,
}

/// Events of one kind in the ring buffer. At a quiet moment `offered = received + lost`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RingStatus {
    /// `flow` or `chunk`.
    pub kind: String,
    /// Offered by the kernel.
    pub offered: u64,
    /// Received by the daemon.
    pub received: u64,
    /// Not taken by the ring, being full.
    pub lost: u64,
}

/// The flow tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FlowStatus {
    /// Entries in the table of established flows.
    pub established: u64,
    /// Room in it.
    pub established_capacity: u64,
    /// Entries in the table of new flows.
    pub fresh: u64,
    /// Room in it.
    pub fresh_capacity: u64,
    /// New flows that made room for others, unreported.
    pub evicted: u64,
    /// Only clinical flows may enter the table of established flows.
    pub pressure: bool,
}

/// Where events go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct OutputStatus {
    /// The file, or standard output.
    pub target: String,
    /// Lines written.
    pub lines: u64,
    /// Events dropped, the queue being full.
    pub dropped_queue_full: u64,
    /// Events dropped, the write having failed.
    pub dropped_write_error: u64,
    /// Why writing fails now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// An error, with any status other than 200.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// What is wrong.
    pub error: String,
}
