//! Where events go: a *lane* for each output, with a queue, a thread and an account of its own ([`lane`]), so that a slow
//! or full disk, or a receiver that is gone, holds up neither the capture nor the other outputs.

pub mod lane;
mod lines;

use std::{io, sync::Arc, time::Instant};

use self::lane::{Account, Entrance, Lane, LaneOptions};
pub use self::{
    lane::OutputStats,
    lines::{Lines, Reopen, Target},
};
use crate::event::Event;

/// Output that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open {target} for events: {source}; see `output` in the configuration")]
pub struct OutputError {
    /// Where to.
    pub target: Target,
    /// Why not.
    pub source: io::Error,
}

/// All lanes.
#[derive(Debug)]
pub struct Output {
    lanes: Vec<Lane>,
    reopen: Reopen,
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
    reopen: Reopen,
}

impl Output {
    /// Opens `target` for JSON lines and starts their thread; at most `queue` events wait for it.
    ///
    /// # Errors
    /// When the target can't be opened, or no thread be started.
    pub fn start(target: Target, queue: usize) -> Result<Self, OutputError> {
        let reopen = Reopen::default();
        let lines = Lines::open(target.clone(), reopen.clone())?;
        let options = LaneOptions {
            name: "json".to_owned(),
            queue,
            wants: |_| true,
        };
        let lane = Lane::start(options, lines).map_err(|source| OutputError { target, source })?;
        Ok(Self {
            lanes: vec![lane],
            reopen,
        })
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

    /// Asks for the JSON lines' target to be opened anew.
    pub fn reopen(&self, target: Target) {
        self.reopen.ask(target);
    }
}
