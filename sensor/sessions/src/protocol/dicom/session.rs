//! An association as a session of the pipeline: counts, events, observations, and what the inventory learns.

use sensor_common::{key::Direction, layer7::dicom::pdu, tape::Tag};
use sensor_facts::{
    event::{Association, AssociationOutcome, Body, DicomEvent, DicomEventType, Side},
    observation::What,
    time::Time,
};

use super::{
    inventory::learn,
    state::{Change, DicomState},
};
use crate::protocol::session::{
    Context, Entry, Malformed, Opening, Progress, Record, Session, SessionEnd, Skipped,
};

/// The entry of DICOM.
pub(in crate::protocol) const ENTRY: Entry = Entry { open, begins };

fn open(opening: Opening, context: &mut Context<'_, '_>) -> Box<dyn Session> {
    // One that follows another is counted once it was answered.
    if !opening.follows {
        context.outlet.stats.associations += 1;
    }
    Box::new(DicomState::new(opening, context.now))
}

/// One connection can carry several associations, one after the other.
fn begins(record: &Record<'_>) -> bool {
    record.tag == Tag::DicomPdu && record.bytes.first() == Some(&pdu::ASSOCIATE_RQ)
}

impl Session for DicomState {
    fn is_succeeded_by(&self, record: &Record<'_>) -> bool {
        begins(record) && self.is_succeeded()
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        context: &mut Context<'_, '_>,
    ) -> Result<Progress, Malformed> {
        let now = context.now;
        let change = self.take_record(record, now);
        match change.map_err(|_| Malformed)? {
            None => {}
            Some(Change::Command { response: true, .. }) => {
                context.outlet.stats.dicom_responses += 1;
            }
            Some(Change::Command { field, .. }) => {
                context.outlet.stats.dicom_requests += 1;
                let what = What::Request {
                    calling: self.titles().0.map(str::to_owned),
                    command: field,
                    destination: self.destination().map(str::to_owned),
                };
                context.observe(now, what);
            }
            Some(Change::Opened) => {
                let summary = self.summary();
                let requestor = summary.requestor.as_ref();
                let what = What::Association {
                    calling: summary.calling_ae.clone(),
                    called: summary.called_ae.clone(),
                    implementation: requestor.and_then(|it| it.class_uid.clone()),
                };
                context.observe(now, what);
                teach(self, &summary, context);
                context.event(now, body(DicomEventType::Opened, summary));
            }
            // Whole summaries follow at once, or after what the other direction still has.
            Some(Change::Rejected) => {
                let (calling, called) = self.titles();
                let (source, reason) = self.rejection().unwrap_or_default();
                let what = What::AssociationRejected {
                    calling: calling.map(str::to_owned),
                    called: called.map(str::to_owned),
                    source,
                    reason,
                };
                context.observe(now, what);
                return Ok(Progress::Ended);
            }
            Some(Change::Ended) => return Ok(Progress::Ended),
        }
        Ok(Progress::Open)
    }

    fn skipped(&mut self, direction: Direction, skipped: Skipped) {
        let missing = skipped.add_to(&mut self.skipped);
        self.incomplete |= missing && !self.has_left(direction);
    }

    fn left_open(&mut self, direction: Direction, bytes: u64) {
        self.incomplete |= !self.has_left(direction);
        if bytes > 0 {
            self.data_set(direction, bytes, false);
        }
    }

    fn gap(&mut self, direction: Direction, _context: &mut Context<'_, '_>) {
        self.lose(direction);
    }

    fn close(&mut self, _end: SessionEnd, context: &mut Context<'_, '_>) {
        if self.is_ignored() {
            return;
        }
        if self.follows {
            context.outlet.stats.associations += 1;
        }
        self.cut();
        let summary = self.summary();
        teach(self, &summary, context);
        let end = summary.end;
        context.observe(end, What::AssociationEnded(Box::new(summary.clone())));
        let stats = &mut *context.outlet.stats;
        match summary.outcome {
            AssociationOutcome::Rejected => stats.associations_rejected += 1,
            AssociationOutcome::Aborted => stats.associations_aborted += 1,
            _ => {}
        }
        context.summary(end, ended(summary));
    }

    fn view(&self, is_over: bool) -> Option<(Time, Body)> {
        if self.is_ignored() {
            return None;
        }
        let summary = self.summary();
        let end = summary.end;
        Some(if is_over {
            (end, ended(summary))
        } else {
            (end, body(DicomEventType::Opened, summary))
        })
    }
}

fn ended(association: Association) -> Body {
    let kind = match association.outcome {
        AssociationOutcome::Rejected => DicomEventType::Rejected,
        _ => DicomEventType::Closed,
    };
    body(kind, association)
}

fn body(kind: DicomEventType, association: Association) -> Body {
    let dicom = Box::new(DicomEvent { kind, association });
    Body::Dicom { dicom }
}

/// Tells the inventory of the association.
fn teach(state: &DicomState, summary: &Association, context: &mut Context<'_, '_>) {
    let conversation = context.conversation;
    let b_asked = state.requests == Direction::BToA;
    let source = if b_asked == conversation.initiator_b {
        Side::Requestor
    } else {
        Side::Acceptor
    };
    learn(context.outlet.inventory, conversation, source, summary);
}
