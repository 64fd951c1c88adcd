//! A connection with HL7 as a session of the pipeline: counts, events, observations, and what the inventory learns.

use sensor_common::key::Direction;
use sensor_facts::{
    event::{Body, Hl7Event, Hl7Message, Hl7SessionEnd},
    observation::{What, is_negative},
    time::Time,
};

use super::{inventory::learn, state::Hl7State};
use crate::protocol::session::{
    Context, Entry, Malformed, Opening, Progress, Record, Session, SessionEnd, Skipped,
};

/// The entry of HL7.
pub(in crate::protocol) const ENTRY: Entry = Entry {
    open,
    begins: |_| false,
};

fn open(opening: Opening, context: &mut Context<'_, '_>) -> Box<dyn Session> {
    context.outlet.stats.hl7_sessions += 1;
    let (initiator, midstream) = (opening.initiator, opening.midstream);
    Box::new(Hl7State::new(initiator, midstream, context.now))
}

impl Session for Hl7State {
    fn record(
        &mut self,
        record: &Record<'_>,
        context: &mut Context<'_, '_>,
    ) -> Result<Progress, Malformed> {
        let message = self.take_record(record, context.now);
        if let Some(message) = message.map_err(|_| Malformed)? {
            report(message, context.now, context);
        }
        Ok(Progress::Open)
    }

    fn skipped(&mut self, _direction: Direction, skipped: Skipped) {
        self.skip(skipped);
    }

    fn turned(&mut self, initiator: Direction) {
        self.turn(initiator);
    }

    fn gap(&mut self, direction: Direction, context: &mut Context<'_, '_>) {
        if let Some(message) = self.lose(direction, context.now) {
            report(message, context.now, context);
        }
    }

    fn close(&mut self, end: SessionEnd, context: &mut Context<'_, '_>) {
        for message in self.end(outcome(end)) {
            report(message, self.summary().end, context);
        }
        let (time, body) = body(self);
        context.summary(time, body);
    }

    fn view(&self, _ended: bool) -> Option<(Time, Body)> {
        Some(body(self))
    }
}

fn outcome(end: SessionEnd) -> Hl7SessionEnd {
    match end {
        SessionEnd::Closed => Hl7SessionEnd::Closed,
        SessionEnd::Idle => Hl7SessionEnd::Idle,
        SessionEnd::Evicted => Hl7SessionEnd::Evicted,
        SessionEnd::Shutdown => Hl7SessionEnd::Shutdown,
    }
}

fn body(state: &Hl7State) -> (Time, Body) {
    let summary = state.summary();
    let time = summary.end;
    let hl7 = Box::new(Hl7Event::Session(summary));
    (time, Body::Hl7 { hl7 })
}

/// Says what follows from a message.
fn report(message: Hl7Message, time: Time, context: &mut Context<'_, '_>) {
    let outlet = &mut *context.outlet;
    outlet.stats.hl7_messages += 1;
    if let Some(code) = &message.ack_code {
        outlet.stats.hl7_acks += 1;
        outlet.stats.hl7_naks += u64::from(is_negative(code));
    }
    learn(outlet.inventory, context.conversation, &message, time);
    if context.outlet.options.observe {
        context.observe(time, What::Hl7(Box::new(message.clone())));
    }
    let hl7 = Box::new(Hl7Event::Message(message));
    context.event(time, Body::Hl7 { hl7 });
}
