//! What sessions say: events, counters, hosts.

use std::{collections::VecDeque, net::SocketAddr};

use sensor_common::key::Direction;

use super::{PipelineOptions, PipelineStats, SessionView};
use crate::{inventory::Inventory, protocol::dicom};
use sensor_facts::{
    address::Conversation,
    event::{
        Association, AssociationOutcome, Body, DicomEvent, DicomEventType, Event, Hl7Event,
        Hl7Message, Side, TlsReport,
    },
    observation::{Observation, What, is_negative},
    time::Time,
};

/// What sessions tell while they work.
pub(super) struct Outlet<'a> {
    pub(super) options: &'a PipelineOptions,
    pub(super) stats: &'a mut PipelineStats,
    pub(super) inventory: &'a mut Inventory,
    pub(super) tls: &'a mut VecDeque<Event>,
    pub(super) out: &'a mut Vec<Event>,
    pub(super) seen: &'a mut Vec<Observation>,
}

impl Outlet<'_> {
    /// Tells the detectors.
    pub(super) fn observe(&mut self, conversation: &Conversation, time: Time, what: What) {
        observe(self.options, self.seen, conversation, time, what);
    }

    pub(super) fn tell(&mut self, conversation: &Conversation, time: Time, body: Body) {
        self.stats.events += 1;
        self.out.push(Event::of(conversation, time, body));
    }
}

/// Tells the detectors, where there are any, what was done over a connection.
pub(super) fn observe(
    options: &PipelineOptions,
    seen: &mut Vec<Observation>,
    conversation: &Conversation,
    time: Time,
    what: What,
) {
    let ports = conversation.src_port.zip(conversation.dest_port);
    if let (true, Some((from, to))) = (options.observe, ports) {
        seen.push(Observation {
            time,
            protocol: conversation.protocol,
            client: SocketAddr::new(conversation.src_ip, from),
            server: SocketAddr::new(conversation.dest_ip, to),
            what,
        });
    }
}

/// The association is over: the last event, the counters, the hosts, the look-back.
pub(super) fn close_association(
    conversation: &Conversation,
    session: &mut dicom::Session,
    closed: &mut VecDeque<SessionView<Association>>,
    outlet: &mut Outlet<'_>,
) {
    session.cut();
    let summary = session.summary();
    note_association(conversation, session, &summary, outlet);
    outlet.observe(
        conversation,
        summary.end,
        What::AssociationEnded(Box::new(summary.clone())),
    );
    let kind = match summary.outcome {
        AssociationOutcome::Rejected => {
            outlet.stats.associations_rejected += 1;
            DicomEventType::Rejected
        }
        AssociationOutcome::Aborted => {
            outlet.stats.associations_aborted += 1;
            DicomEventType::Closed
        }
        _ => DicomEventType::Closed,
    };
    tell_association(conversation, kind, summary.clone(), summary.end, outlet);
    let view = SessionView {
        conversation: conversation.clone(),
        open: false,
        summary,
    };
    keep(closed, view, outlet.options.limits.closed_associations);
}

pub(super) fn note_association(
    conversation: &Conversation,
    session: &dicom::Session,
    summary: &Association,
    outlet: &mut Outlet<'_>,
) {
    let b_asked = session.requests() == Direction::BToA;
    let source_asked = b_asked == conversation.initiator_b;
    let source = if source_asked {
        Side::Requestor
    } else {
        Side::Acceptor
    };
    outlet.inventory.association(conversation, source, summary);
}

pub(super) fn tell_association(
    conversation: &Conversation,
    kind: DicomEventType,
    association: Association,
    time: Time,
    outlet: &mut Outlet<'_>,
) {
    let dicom = Box::new(DicomEvent { kind, association });
    outlet.tell(conversation, time, Body::Dicom { dicom });
}

pub(super) fn tell_message(
    conversation: &Conversation,
    message: Hl7Message,
    time: Time,
    outlet: &mut Outlet<'_>,
) {
    outlet.stats.hl7_messages += 1;
    if let Some(code) = &message.ack_code {
        outlet.stats.hl7_acks += 1;
        outlet.stats.hl7_naks += u64::from(is_negative(code));
    }
    if outlet.options.observe {
        outlet.observe(conversation, time, What::Hl7(Box::new(message.clone())));
    }
    outlet.inventory.message(conversation, &message, time);
    outlet.tell(
        conversation,
        time,
        Body::Hl7 {
            hl7: Box::new(Hl7Event::Message(message)),
        },
    );
}

pub(super) fn tell_tls(conversation: &Conversation, report: TlsReport, outlet: &mut Outlet<'_>) {
    let time = report.start;
    let tls = Box::new(report);
    let event = Event::of(conversation, time, Body::Tls { tls });
    keep(
        outlet.tls,
        event.clone(),
        outlet.options.limits.tls_connections,
    );
    outlet.stats.events += 1;
    outlet.out.push(event);
}

pub(super) fn keep<T>(closed: &mut VecDeque<T>, value: T, max: usize) {
    if max == 0 {
        return;
    }
    if closed.len() >= max {
        closed.pop_back();
    }
    closed.push_front(value);
}
