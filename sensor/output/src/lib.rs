//! Where events go: a *lane* for each output, with a queue, a thread and an account of its own ([`lane`]), so that a slow
//! or full disk, or a receiver that is gone, holds up neither the capture nor the other outputs.

#![forbid(unsafe_code)]

mod cef;
mod format;
pub mod lane;
mod ocsf;
mod origin;
pub mod outputs;
mod rotate;
#[cfg(test)]
pub(crate) mod tests;

use std::{sync::Arc, time::Instant};

pub use self::{
    format::Format,
    lane::{OutputError, OutputStats, RESERVED},
    origin::Origin,
    outputs::{
        OutputOptions,
        lines::{FileOptions, Target},
        syslog::{Endpoint, Facility, SyslogOptions, TlsOptions},
    },
    rotate::Rotation,
};
use self::{
    lane::{Account, Entrance, Lane},
    outputs::Files,
};
use sensor_facts::event::Event;

/// All lanes.
#[derive(Debug)]
pub struct Output {
    lanes: Vec<Lane>,
    reopen: Files,
}

/// A writing end of all lanes.
#[derive(Clone, Debug)]
pub struct OutputSender(Arc<[Entrance]>);

impl OutputSender {
    /// Queues an event without waiting; where a queue is full it is dropped there and counted.
    pub fn send(&self, event: Event) {
        offer(self.0.iter(), event, None);
    }
}

/// A view of the output for those who do not write to it.
#[derive(Clone, Debug)]
pub struct OutputHandle {
    accounts: Arc<[Arc<Account>]>,
    reopen: Files,
}

impl Output {
    /// Opens the files and starts a thread for each output. Receivers are connected to later, by those threads.
    ///
    /// # Errors
    /// When a file can't be opened, or no thread be started.
    pub fn start(options: &OutputOptions) -> Result<Self, OutputError> {
        let reopen = Files::default();
        let lanes = options.lanes(&reopen)?;
        Ok(Self { lanes, reopen })
    }

    /// Another lane.
    pub fn add(&mut self, lane: Lane) {
        self.lanes.push(lane);
    }

    fn entrances(&self) -> impl Iterator<Item = &Entrance> {
        self.lanes.iter().filter_map(|lane| lane.entrance.as_ref())
    }

    /// Queues an event without waiting; where a queue is full it is dropped there and counted.
    pub fn send(&self, event: Event) {
        offer(self.entrances(), event, None);
    }

    /// Queues an event, waiting for room until `deadline`.
    pub fn send_until(&self, event: Event, deadline: Instant) {
        offer(self.entrances(), event, Some(deadline));
    }

    /// Another writing end. The output can't be closed in order before it is dropped.
    #[must_use]
    pub fn sender(&self) -> OutputSender {
        OutputSender(self.entrances().cloned().collect())
    }

    /// A view for status and metrics.
    #[must_use]
    pub fn handle(&self) -> OutputHandle {
        OutputHandle {
            accounts: self
                .lanes
                .iter()
                .map(|lane| Arc::clone(&lane.account))
                .collect(),
            reopen: self.reopen.clone(),
        }
    }

    /// Delivers what is queued and closes all lanes: what they did in all. Where one takes nothing by
    /// `deadline`, what is left is given up.
    #[must_use]
    pub fn close(mut self, deadline: Instant) -> Vec<OutputStats> {
        for lane in &mut self.lanes {
            lane.shut();
        }
        for lane in &mut self.lanes {
            lane.join(deadline);
        }
        self.handle().stats()
    }
}

fn offer<'a>(
    entrances: impl Iterator<Item = &'a Entrance>,
    event: Event,
    deadline: Option<Instant>,
) {
    let event = Arc::new(event);
    for entrance in entrances {
        entrance.offer(&event, deadline);
    }
}

impl OutputHandle {
    /// What the lanes did so far.
    #[must_use]
    pub fn stats(&self) -> Vec<OutputStats> {
        self.accounts
            .iter()
            .map(|account| account.stats())
            .collect()
    }

    /// Asks for the files to be opened anew.
    pub fn reopen(&self, options: &OutputOptions) {
        self.reopen.json.ask(&options.json);
        if let Some(options) = &options.ocsf {
            self.reopen.ocsf.ask(options);
        }
    }
}
