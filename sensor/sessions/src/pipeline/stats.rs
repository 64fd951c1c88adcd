//! What the pipeline received, understood and gave up.

use std::collections::BTreeMap;

use sensor_common::layer7::{Protocol, Reason};
use sensor_kernel::decode::DecodeError;
use serde::{Deserialize, Serialize};

use crate::protocol::{assembler::Tally, session::Skipped};

/// The pipeline's counters since its start, and how full it is.
///
/// `records = flow_records + chunks + bad records`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineStats {
    /// Ring records received.
    pub records: u64,
    /// Of these, flow events.
    pub flow_records: u64,
    /// Of these, chunks of tape.
    pub chunks: u64,
    /// Of these chunks, what hosts say of themselves outside of any session.
    #[serde(default)]
    pub notices: u64,
    /// Bytes of tape in them.
    pub tape_bytes: u64,
    /// Records that could not be decoded, by reason ([`DecodeError::label`]).
    pub bad_records: BTreeMap<String, u64>,
    /// Chunks that are missing between two that came: lost in the ring.
    pub chunks_lost: u64,
    /// Chunks that are missing before the first that came of a connection: lost, or sent before this
    /// daemon started.
    pub chunks_unseen: u64,
    /// Chunks that came twice or out of order, left out.
    pub chunks_misplaced: u64,
    /// Chunks of a connection that was already over, left out.
    pub chunks_late: u64,
    /// Tapes with a record that is cut or of an unknown tag; the rest of such a tape is left out.
    pub bad_tapes: u64,
    /// Protocol elements left out because a part of them is missing.
    pub elements_incomplete: u64,
    /// Protocol elements left out because they are longer than allowed.
    pub elements_oversize: u64,
    /// Protocol elements left out because they break their standard.
    pub elements_malformed: u64,
    /// Protocol elements of a connection whose session had ended, left out.
    pub elements_late: u64,
    /// Places at which the kernel's reader lost its place in a protocol.
    pub desyncs: u64,
    /// Protocol elements that came.
    #[serde(default)]
    pub elements: u64,
    /// Places at which bytes of a session were not read, by [`Reason`]; those that receivers leave out too among them.
    #[serde(default)]
    pub skips: BTreeMap<String, u64>,
    /// Bytes that were not read there, by [`Reason`].
    #[serde(default)]
    pub skipped_bytes: BTreeMap<String, u64>,
    /// Flows that ended.
    pub flows_ended: u64,
    /// Of these, late FINs and resets of a connection that was reported before; left out.
    #[serde(default)]
    pub flows_late: u64,
    /// Records whose time lies more than a second before an earlier one's: the clock went back.
    #[serde(default)]
    pub clock_back: u64,
    /// Reports of running flows, snapshots included.
    pub flows_active: u64,
    /// Running flows dropped from the look-back because they were too many.
    pub live_flows_evicted: u64,
    /// Running flows known now.
    pub live_flows: u64,
    /// Connections with DICOM, HL7 or TLS that are open now.
    pub sessions_open: u64,
    /// Connections with DICOM, HL7 or TLS so far.
    pub sessions_opened: u64,
    /// Of these, over.
    pub sessions_closed: u64,
    /// Of these, given up because they were too many.
    pub sessions_evicted: u64,
    /// Of these, those of which both sides were heard.
    #[serde(default)]
    pub sessions_evicted_answered: u64,
    /// Connections that went on after a reset or FINs that were not their sides'.
    #[serde(default)]
    pub sessions_resumed: u64,
    /// DICOM associations so far.
    pub associations: u64,
    /// Of these, rejected.
    pub associations_rejected: u64,
    /// Of these, aborted.
    pub associations_aborted: u64,
    /// DICOM requests so far.
    pub dicom_requests: u64,
    /// DICOM responses so far.
    pub dicom_responses: u64,
    /// HL7 sessions so far.
    pub hl7_sessions: u64,
    /// HL7 messages so far.
    pub hl7_messages: u64,
    /// HL7 acknowledgements so far.
    pub hl7_acks: u64,
    /// Of these, negative.
    pub hl7_naks: u64,
    /// TLS connections so far.
    pub tls_connections: u64,
    /// Sessions so far by the name of their protocol; a connection can carry several.
    #[serde(skip)]
    pub sessions_by_protocol: BTreeMap<&'static str, u64>,
    /// Hosts known now.
    pub hosts: u64,
    /// Hosts dropped because they were too many.
    pub hosts_evicted: u64,
    /// Details of hosts (ports, titles, ...) left out because they were too many.
    pub host_details_omitted: u64,
    /// Events written.
    pub events: u64,
}

impl PipelineStats {
    /// Records that could not be decoded.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.bad_records.values().sum()
    }

    /// Places at which something of a session is missing, whatever the reason: what was lost before the sensor, on the way from
    /// the kernel or in the reader.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let harmful = |label: &str| {
            !Reason::ALL
                .iter()
                .any(|one| one.is_harmless() && one.label() == label)
        };
        let skips = self.skips.iter().filter(|(label, _)| harmful(label));
        self.chunks_lost
            + self.bad_tapes
            + self.elements_incomplete
            + self.elements_oversize
            + self.elements_malformed
            + skips.map(|(_, count)| count).sum::<u64>()
    }

    /// Counts a place at which bytes were left out.
    pub(super) fn skip(&mut self, skipped: Skipped) {
        let label = skipped.reason.label();
        *self.skips.entry(label.to_owned()).or_default() += u64::from(!skipped.known);
        *self.skipped_bytes.entry(label.to_owned()).or_default() += u64::from(skipped.bytes);
    }

    /// Sessions of a protocol so far.
    #[must_use]
    pub fn sessions_of(&self, protocol: Protocol) -> u64 {
        let count = protocol
            .name()
            .and_then(|name| self.sessions_by_protocol.get(name));
        count.copied().unwrap_or(0)
    }

    /// Counts a session of a protocol.
    pub(super) fn count_session(&mut self, protocol: Protocol) {
        if let Some(name) = protocol.name() {
            *self.sessions_by_protocol.entry(name).or_default() += 1;
        }
    }

    pub(super) fn add(&mut self, tally: &Tally) {
        self.chunks_lost += tally.lost;
        self.chunks_unseen += tally.unseen;
        self.chunks_misplaced += tally.misplaced;
        self.bad_tapes += tally.bad_tapes;
        self.elements_incomplete += tally.incomplete;
        self.elements_oversize += tally.oversize;
    }

    pub(super) fn count_bad(&mut self, error: DecodeError) {
        *self
            .bad_records
            .entry(error.label().to_owned())
            .or_default() += 1;
    }
}
