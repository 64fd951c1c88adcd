//! What bounds the pipeline's memory and how it names things.

use std::{collections::HashMap, sync::Arc};

use sensor_facts::{event::Likely, time::Timebase};

/// Upper bounds of what the pipeline holds. What does not fit is evicted (oldest first) or left out,
/// and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Ended flows kept for a look back; about 700 bytes each.
    pub recent_flows: usize,
    /// Running flows of which the last report is kept; about 700 bytes each.
    pub live_flows: usize,
    /// Open connections that carry a protocol that is read; about 1 to 30 kB each.
    pub sessions: usize,
    /// Sessions of each protocol that are over and kept for a look back.
    pub closed_sessions: usize,
    /// Hosts seen in a conversation of both directions, or with a clinical protocol.
    pub known_hosts: usize,
    /// Other hosts: seen to send only, as in scans and floods.
    pub fresh_hosts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recent_flows: 4_096,
            live_flows: 8_192,
            sessions: 16_384,
            closed_sessions: 1_024,
            known_hosts: 16_384,
            fresh_hosts: 4_096,
        }
    }
}

impl Limits {
    /// The same bound for all.
    #[must_use]
    pub const fn all(entries: usize) -> Self {
        Self {
            recent_flows: entries,
            live_flows: entries,
            sessions: entries,
            closed_sessions: entries,
            known_hosts: entries,
            fresh_hosts: entries,
        }
    }
}

/// How a pipeline works.
#[derive(Clone, Debug)]
pub struct PipelineOptions {
    /// Bounds of memory.
    pub limits: Limits,
    /// From the engine's clock to the wall clock.
    pub timebase: Timebase,
    /// Interface names by the index in events; events of others carry no name.
    pub interfaces: HashMap<u32, Arc<str>>,
    /// Whether flow events are made; without anyone to read them they are a third of the pipeline's work.
    pub flow_events: bool,
    /// Whether flow events are made also when a flow reaches a power of two of packets.
    pub flow_snapshots: bool,
    /// Whether observations for the detectors are collected. The caller has to take them, or they accumulate.
    pub observe: bool,
    /// Ports at which TLS likely carries DICOM.
    pub dicom_tls_ports: Vec<u16>,
    /// Ports at which TLS likely carries HL7.
    pub hl7_tls_ports: Vec<u16>,
    /// A session without a word for this long is closed though no end of its flow was reported, in
    /// nanoseconds; longer than the engine's idle time of open TCP connections.
    pub session_idle_ns: u64,
    /// A session whose end was seen is reported this much later, in nanoseconds, so that what other
    /// CPUs still have of it comes in.
    pub linger_ns: u64,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            timebase: Timebase::default(),
            interfaces: HashMap::new(),
            flow_events: true,
            flow_snapshots: false,
            observe: false,
            dicom_tls_ports: vec![2762],
            hl7_tls_ports: vec![2575, 6661],
            session_idle_ns: 2 * 3_600 * 1_000_000_000,
            linger_ns: 1_000_000_000,
        }
    }
}

impl PipelineOptions {
    /// What TLS at `port` likely carries.
    #[must_use]
    pub fn likely(&self, port: u16) -> Option<Likely> {
        if self.dicom_tls_ports.contains(&port) {
            Some(Likely::Dicom)
        } else if self.hl7_tls_ports.contains(&port) {
            Some(Likely::Hl7)
        } else {
            None
        }
    }
}
