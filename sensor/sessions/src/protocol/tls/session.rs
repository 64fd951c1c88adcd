//! A TLS connection as a session of the pipeline: its event, observations, and what the inventory learns.

use sensor_common::key::Direction;
use sensor_facts::{
    event::{Body, TlsReport},
    observation::What,
    time::Time,
};

use super::{
    inventory::{learn, learn_version},
    state::TlsState,
};
use crate::protocol::session::{
    Context, Entry, Malformed, Opening, Progress, Record, Session, SessionEnd, Skipped,
};

/// The entry of TLS.
pub(in crate::protocol) const ENTRY: Entry = Entry {
    open,
    begins: |_| false,
};

fn open(_opening: Opening, context: &mut Context<'_, '_>) -> Box<dyn Session> {
    context.outlet.stats.tls_connections += 1;
    learn(context.outlet.inventory, context.conversation, context.now);
    let port = context.conversation.dest_port.unwrap_or(0);
    let likely = context.outlet.options.likely(port);
    Box::new(TlsState::new(likely, context.now))
}

impl Session for TlsState {
    fn record(
        &mut self,
        record: &Record<'_>,
        context: &mut Context<'_, '_>,
    ) -> Result<Progress, Malformed> {
        if let Some(report) = self.hello(record.bytes).map_err(|_| Malformed)? {
            if let Some(version) = &report.version {
                learn_version(context.outlet.inventory, context.conversation, version);
                if report.likely.is_some() {
                    context.observe(context.now, What::ClinicalTls);
                }
            }
            summary(report, context);
        }
        Ok(Progress::Open)
    }

    fn skipped(&mut self, _direction: Direction, skipped: Skipped) {
        self.skip(skipped);
    }

    fn gap(&mut self, _direction: Direction, _context: &mut Context<'_, '_>) {
        self.lose();
    }

    fn close(&mut self, _end: SessionEnd, context: &mut Context<'_, '_>) {
        if let Some(report) = self.end() {
            summary(report, context);
        }
    }

    /// Lists have what was reported, which is as soon as both sides' hello messages were seen.
    fn view(&self, _ended: bool) -> Option<(Time, Body)> {
        None
    }
}

fn summary(report: TlsReport, context: &mut Context<'_, '_>) {
    let time = report.start;
    let tls = Box::new(report);
    context.summary(time, Body::Tls { tls });
}
