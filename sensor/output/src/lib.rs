//! Where events go: a *lane* for each output, with a queue, a thread and an account of its own ([`lane`]), so that a slow
//! or full disk, or a receiver that is gone, holds up neither the capture nor the other outputs.

#![forbid(unsafe_code)]

mod cef;
pub mod config;
mod format;
pub mod lane;
mod lines;
mod ocsf;
mod origin;
mod rotate;
mod syslog;
#[cfg(test)]
pub(crate) mod tests;

use std::{io, sync::Arc, time::Instant};

pub use self::{
    format::Format,
    lane::OutputStats,
    lines::{FileOptions, Target},
    origin::Origin,
    rotate::Rotation,
    syslog::{Endpoint, Facility, SyslogOptions, TlsOptions},
};
use self::{
    lane::{Account, Entrance, Lane, LaneOptions},
    lines::{Lines, Reopen},
    syslog::Syslog,
};
use sensor_facts::event::Event;

/// The lanes of files, as status and metrics name them.
const JSON: &str = "json";
const OCSF: &str = "ocsf";
/// Names that no receiver may have.
pub const RESERVED: [&str; 3] = [JSON, OCSF, "store"];

/// Output that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open {target} for events: {source}; see `output` in the configuration")]
pub struct OutputError {
    /// Where to.
    pub target: String,
    /// Why not.
    pub source: io::Error,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// All events, as JSON lines.
    pub json: FileOptions,
    /// Alerts, as OCSF lines.
    pub ocsf: Option<FileOptions>,
    /// Syslog receivers.
    pub syslog: Vec<SyslogOptions>,
}

impl OutputOptions {
    /// Keys of the configuration whose values differ in `new` and take a restart.
    #[must_use]
    pub fn restart_needed(&self, new: &Self) -> Vec<&'static str> {
        let queue = |it: &Option<FileOptions>| it.as_ref().map(|it| it.queue);
        [
            ("output.json.max_queue", self.json.queue != new.json.queue),
            ("output.ocsf", queue(&self.ocsf) != queue(&new.ocsf)),
            ("output.syslog", self.syslog != new.syslog),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Takes over what can change at run time: the files and their rotation.
    pub fn adopt(&mut self, new: &Self) {
        let files = [
            (Some(&mut self.json), Some(&new.json)),
            (self.ocsf.as_mut(), new.ocsf.as_ref()),
        ];
        for (old, new) in files {
            if let (Some(old), Some(new)) = (old, new) {
                old.target = new.target.clone();
                old.rotation = new.rotation;
            }
        }
    }
}

/// All lanes.
#[derive(Debug)]
pub struct Output {
    lanes: Vec<Lane>,
    reopen: Files,
}

/// Asks the lanes of files to open them anew.
#[derive(Clone, Debug, Default)]
struct Files {
    json: Reopen,
    ocsf: Reopen,
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
        let mut output = Self {
            lanes: Vec::new(),
            reopen: Files::default(),
        };
        let origin = Origin::here();
        let json = output.reopen.json.clone();
        output.add_file(JSON, &options.json, Format::Json, &origin, json)?;
        if let Some(options) = &options.ocsf {
            let ocsf = output.reopen.ocsf.clone();
            output.add_file(OCSF, options, Format::Ocsf, &origin, ocsf)?;
        }
        for options in &options.syslog {
            let events = options.events.clone();
            let lane = LaneOptions {
                name: options.name.clone(),
                queue: options.queue,
                wants: move |event: &Event| events.contains(&event.body.event_type()),
            };
            let lane = Lane::start(lane, Syslog::new(options, origin.clone()));
            output.add(lane.map_err(|source| OutputError {
                target: options.endpoint.to_string(),
                source,
            })?);
        }
        Ok(output)
    }

    fn add_file(
        &mut self,
        name: &str,
        options: &FileOptions,
        format: Format,
        origin: &Origin,
        reopen: Reopen,
    ) -> Result<(), OutputError> {
        let lines = Lines::open(options.clone(), format, origin.clone(), reopen)?;
        let lane = LaneOptions {
            name: name.to_owned(),
            queue: options.queue,
            wants: move |event: &Event| format.carries(event.body.event_type()),
        };
        self.add(Lane::start(lane, lines).map_err(|source| OutputError {
            target: options.target.to_string(),
            source,
        })?);
        Ok(())
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
