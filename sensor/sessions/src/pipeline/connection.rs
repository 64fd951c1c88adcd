//! One connection that carries DICOM, HL7 or TLS.

use std::{collections::VecDeque, sync::Arc};

use sensor_common::{
    event::{self, ChunkHeader},
    key::Direction,
    layer7::dicom::pdu,
    tape::Tag,
};

use super::{
    SessionView,
    tell::{Outlet, close_association, note_association, tell_association, tell_message, tell_tls},
};
use crate::protocol::{
    assembler::{Assembler, Element, Tally},
    dicom, hl7, tls,
};
use sensor_facts::{
    address::Conversation,
    event::{Association, DicomEventType},
    observation::What,
    time::Time,
};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) conversation: Conversation,
    pub(super) initiator: Direction,
    pub(super) midstream: bool,
    pub(super) assemblers: [Assembler; 2],
    pub(super) session: Session,
    pub(super) last: u64,
    /// When the session, whose end was seen, is reported.
    pub(super) due: Option<u64>,
    /// It was reported.
    pub(super) over: bool,
    /// Something is missing of which no session knows yet.
    damaged: bool,
    /// Chunks of each direction by the last flow record.
    pub(super) chunks: Option<[u32; 2]>,
}

#[derive(Debug)]
pub(super) enum Session {
    /// Nothing was recognised, or all that was is reported.
    None,
    Dicom(Box<dicom::Session>),
    Hl7(Box<hl7::Session>),
    Tls(Box<tls::Session>),
}

impl Connection {
    /// The connection whose first chunk begins with `header`.
    pub(super) fn new(header: &ChunkHeader, in_iface: Option<Arc<str>>) -> Self {
        let b_opened = header.flags & event::INITIATOR_B != 0;
        let mut conversation = Conversation::new(&header.key, header.flow_start, b_opened);
        conversation.in_iface = in_iface;
        Self {
            conversation,
            initiator: if b_opened {
                Direction::BToA
            } else {
                Direction::AToB
            },
            midstream: header.flags & event::MIDSTREAM != 0,
            assemblers: [Assembler::default(), Assembler::default()],
            session: Session::None,
            last: header.header.time,
            due: None,
            over: false,
            damaged: false,
            chunks: None,
        }
    }

    /// Counts the chunks missing at the end of each direction, and tells the session.
    pub(super) fn settle(&mut self, outlet: &mut Outlet<'_>) {
        let Some(chunks) = self.chunks else { return };
        let mut tally = Tally::default();
        for (direction, chunks) in [Direction::AToB, Direction::BToA].into_iter().zip(chunks) {
            if self.assemblers[direction as usize].settle(chunks, &mut tally) {
                let now = outlet.options.timebase.wall(self.last);
                self.gap(direction, now, outlet);
            }
        }
        outlet.stats.add(&tally);
    }

    /// Takes one element; true if the session's end was seen.
    pub(super) fn element(
        &mut self,
        direction: Direction,
        element: Element<'_>,
        now: Time,
        outlet: &mut Outlet<'_>,
        closed: &mut VecDeque<SessionView<Association>>,
    ) -> bool {
        let (tag, bytes) = match element {
            Element::Record { tag, bytes } => (tag, bytes),
            Element::Gap => {
                self.gap(direction, now, outlet);
                return false;
            }
        };
        if self.over {
            // Only a new association brings a connection back; all else is what came late.
            if tag != Tag::DicomPdu || bytes.first() != Some(&pdu::ASSOCIATE_RQ) {
                outlet.stats.elements_late += 1;
                return false;
            }
            self.over = false;
        }
        match tag {
            Tag::DicomPdu
            | Tag::DicomAssociate
            | Tag::DicomItem
            | Tag::DicomReason
            | Tag::DicomPdv
            | Tag::DicomElement
            | Tag::DicomCommandEnd
            | Tag::DicomDataEnd => self.dicom(direction, tag, bytes, now, outlet, closed),
            Tag::Hl7Header | Tag::Hl7Acknowledgement | Tag::Hl7End => {
                self.hl7(direction, tag, bytes, now, outlet);
                false
            }
            Tag::TlsHello => {
                self.tls(bytes, now, outlet);
                false
            }
            // What belongs to no connection.
            Tag::Arp
            | Tag::DhcpHead
            | Tag::DhcpName
            | Tag::DhcpRequested
            | Tag::DhcpType
            | Tag::DhcpVendor
            | Tag::HostName
            | Tag::HostAddress => {
                outlet.stats.elements_malformed += 1;
                false
            }
            Tag::Desync => {
                outlet.stats.desyncs += 1;
                self.gap(direction, now, outlet);
                false
            }
        }
    }

    fn gap(&mut self, direction: Direction, now: Time, outlet: &mut Outlet<'_>) {
        match &mut self.session {
            Session::None => self.damaged = true,
            Session::Dicom(session) => session.gap(direction),
            Session::Hl7(session) => {
                if let Some(message) = session.gap(direction, now) {
                    tell_message(&self.conversation, message, now, outlet);
                }
            }
            Session::Tls(session) => session.gap(),
        }
    }

    fn dicom(
        &mut self,
        direction: Direction,
        tag: Tag,
        bytes: &[u8],
        now: Time,
        outlet: &mut Outlet<'_>,
        closed: &mut VecDeque<SessionView<Association>>,
    ) -> bool {
        if let Session::Dicom(session) = &mut self.session
            && session.is_succeeded_by(tag, bytes)
        {
            close_association(&self.conversation, session, closed, outlet);
            self.session = Session::None;
            self.due = None;
        }
        if matches!(self.session, Session::None) {
            outlet.stats.associations += 1;
            let mut session = dicom::Session::new(self.initiator, now);
            if std::mem::take(&mut self.damaged) {
                session.gap(direction);
            }
            self.session = Session::Dicom(Box::new(session));
        }
        let Session::Dicom(session) = &mut self.session else {
            outlet.stats.elements_malformed += 1;
            return false;
        };
        match session.record(direction, tag, bytes, now) {
            Ok(None) => false,
            Ok(Some(dicom::Change::Command { response, field })) => {
                if !response {
                    let calling = session.titles().0.map(str::to_owned);
                    let destination = session.destination().map(str::to_owned);
                    let what = What::Request {
                        calling,
                        command: field,
                        destination,
                    };
                    outlet.observe(&self.conversation, now, what);
                }
                let stats = &mut *outlet.stats;
                *if response {
                    &mut stats.dicom_responses
                } else {
                    &mut stats.dicom_requests
                } += 1;
                false
            }
            Ok(Some(dicom::Change::Opened)) => {
                let summary = session.summary();
                let requestor = summary.requestor.as_ref();
                let what = What::Association {
                    calling: summary.calling_ae.clone(),
                    called: summary.called_ae.clone(),
                    implementation: requestor.and_then(|it| it.class_uid.clone()),
                };
                outlet.observe(&self.conversation, now, what);
                note_association(&self.conversation, session, &summary, outlet);
                tell_association(
                    &self.conversation,
                    DicomEventType::Opened,
                    summary,
                    now,
                    outlet,
                );
                false
            }
            // Whole summaries follow at once, or after what the other direction still has.
            Ok(Some(dicom::Change::Rejected)) => {
                let (calling, called) = session.titles();
                let (source, reason) = session.rejection().unwrap_or_default();
                let what = What::AssociationRejected {
                    calling: calling.map(str::to_owned),
                    called: called.map(str::to_owned),
                    source,
                    reason,
                };
                outlet.observe(&self.conversation, now, what);
                true
            }
            Ok(Some(dicom::Change::Ended)) => true,
            Err(_) => {
                outlet.stats.elements_malformed += 1;
                false
            }
        }
    }

    fn hl7(
        &mut self,
        direction: Direction,
        tag: Tag,
        bytes: &[u8],
        now: Time,
        outlet: &mut Outlet<'_>,
    ) {
        if matches!(self.session, Session::None) {
            outlet.stats.hl7_sessions += 1;
            let mut session = hl7::Session::new(self.initiator, self.midstream, now);
            if std::mem::take(&mut self.damaged) {
                session.gap(direction, now);
            }
            self.session = Session::Hl7(Box::new(session));
        }
        let Session::Hl7(session) = &mut self.session else {
            outlet.stats.elements_malformed += 1;
            return;
        };
        match session.record(direction, tag, bytes, now) {
            Ok(Some(message)) => tell_message(&self.conversation, message, now, outlet),
            Ok(None) => {}
            Err(_) => outlet.stats.elements_malformed += 1,
        }
    }

    fn tls(&mut self, bytes: &[u8], now: Time, outlet: &mut Outlet<'_>) {
        if matches!(self.session, Session::None) {
            outlet.stats.tls_connections += 1;
            let port = self.conversation.dest_port.unwrap_or(0);
            let mut session = tls::Session::new(outlet.options.likely(port), now);
            if std::mem::take(&mut self.damaged) {
                session.gap();
            }
            self.session = Session::Tls(Box::new(session));
            outlet.inventory.tls(&self.conversation, now);
        }
        let Session::Tls(session) = &mut self.session else {
            outlet.stats.elements_malformed += 1;
            return;
        };
        match session.hello(bytes) {
            Ok(Some(report)) => {
                if let Some(version) = &report.version {
                    outlet.inventory.tls_version(&self.conversation, version);
                }
                if report.likely.is_some() && report.version.is_some() {
                    outlet.observe(&self.conversation, now, What::ClinicalTls);
                }
                tell_tls(&self.conversation, report, outlet);
            }
            Ok(None) => {}
            Err(_) => outlet.stats.elements_malformed += 1,
        }
    }
}
