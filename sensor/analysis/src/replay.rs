//! Capture files through the engine and the pipeline, by the captures' clock.

use std::{ops::ControlFlow, path::Path, time::Duration};

use sensor_common::{
    counter::{Counter, Counters},
    packet::Layer,
    settings::Settings,
};
use sensor_facts::{event::Event, observation::Observation};
use sensor_kernel::{TableSizes, Why};
use sensor_sessions::{
    capture::{
        engine::{PortableEngine, SWEEPS},
        file::{CaptureError, CaptureFile, Reading},
        link::Content,
        packet::CapturedPacket,
    },
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

use crate::analysis::{Analysis, AnalysisOptions, Online};

const SECOND: u64 = 1_000_000_000;

/// How captures are replayed.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Sizes of the flow tables.
    pub tables: TableSizes,
    /// Idle times.
    pub settings: Settings,
    /// A flow that goes on is reported each time this passes.
    pub active: Duration,
    /// The pipeline's options.
    pub pipeline: PipelineOptions,
    /// Where given, detectors, baselines and alerts take what is observed, and what they find is among the
    /// events.
    pub analysis: Option<AnalysisOptions>,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            tables: TableSizes::default(),
            settings: Settings::DEFAULT,
            active: Duration::from_mins(5),
            pipeline: PipelineOptions::default(),
            analysis: None,
        }
    }
}

impl ReplayOptions {
    /// For who wants observations only: no events of flows are made.
    #[must_use]
    pub fn observing() -> Self {
        Self {
            pipeline: PipelineOptions {
                flow_events: false,
                observe: true,
                ..PipelineOptions::default()
            },
            ..Self::default()
        }
    }
}

/// Times of the packets seen, nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub first: u64,
    /// The greatest.
    pub last: u64,
}

/// What a receiver of events is told besides them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of this file that are read.
    pub bytes: u64,
    /// Packets so far, of all files.
    pub packets: u64,
}

/// A sensor that reads capture files.
pub struct Replay {
    engine: PortableEngine,
    pipeline: Pipeline,
    online: Option<Online>,
    events: Vec<Event>,
    span: Option<Span>,
    /// Second of the capture's clock in which the last sweep was done.
    second: u64,
    /// Added to the times of packets.
    shift: u64,
    /// The clock of a file begins before the end of the one before it.
    disordered: bool,
}

/// Packets between two reports of progress.
const REPORT: u64 = 1 << 14;

impl Replay {
    /// A sensor that has seen nothing.
    #[must_use]
    pub fn new(options: ReplayOptions) -> Self {
        let mut engine = PortableEngine::new(options.tables, options.settings);
        engine.set_active(options.active);
        let mut pipeline = options.pipeline;
        pipeline.observe |= options.analysis.is_some();
        Self {
            engine,
            pipeline: Pipeline::new(pipeline),
            online: options.analysis.map(Online::new),
            events: Vec::new(),
            span: None,
            second: 0,
            shift: 0,
            disordered: false,
        }
    }

    /// Reads a file to its end, or until `on` breaks. `on` is given the events as they are made, which it
    /// takes out of the list, and how far the reading is.
    ///
    /// # Errors
    /// [`CaptureError`], if nothing of the file can be read.
    pub fn file<F>(&mut self, path: &Path, on: F) -> Result<Reading, CaptureError>
    where
        F: FnMut(&mut Vec<Event>, Progress) -> ControlFlow<()>,
    {
        self.read(CaptureFile::open(path)?, on)
    }

    /// The same for a capture that is open.
    ///
    /// # Errors
    /// As [`Replay::file`].
    pub fn read<F>(&mut self, file: CaptureFile, mut on: F) -> Result<Reading, CaptureError>
    where
        F: FnMut(&mut Vec<Event>, Progress) -> ControlFlow<()>,
    {
        let mut begun = false;
        file.read(|packet| {
            self.begin(&mut begun, &packet);
            self.packet(&packet);
            analyse(&mut self.pipeline, &mut self.online, &mut self.events);
            let packets = self.counters().get(Counter::Packets);
            if self.events.is_empty() && !packets.is_multiple_of(REPORT) {
                return ControlFlow::Continue(());
            }
            let progress = Progress {
                bytes: packet.offset,
                packets,
            };
            on(&mut self.events, progress)
        })
    }

    /// Reads a capture for what the detectors should know of it, which `on` is given as it becomes known; events
    /// are dropped. Only with [`PipelineOptions::observe`]; what [`Self::finish`] adds is still to be
    /// [taken](Self::take_observations).
    ///
    /// # Errors
    /// As [`Replay::file`].
    pub fn observe<F>(&mut self, file: CaptureFile, mut on: F) -> Result<Reading, CaptureError>
    where
        F: FnMut(Vec<Observation>, Progress) -> ControlFlow<()>,
    {
        let mut begun = false;
        file.read(|packet| {
            self.begin(&mut begun, &packet);
            self.packet(&packet);
            self.events.clear();
            let packets = self.counters().get(Counter::Packets);
            let seen = self.pipeline.take_observations();
            if seen.is_empty() && !packets.is_multiple_of(REPORT) {
                return ControlFlow::Continue(());
            }
            let progress = Progress {
                bytes: packet.offset,
                packets,
            };
            on(seen, progress)
        })
    }

    /// Before a packet: at the first of a file its clock is looked at.
    #[inline]
    fn begin(&mut self, begun: &mut bool, packet: &CapturedPacket<'_>) {
        if !*begun {
            *begun = true;
            let end = self.span.map_or(0, |span| span.last);
            self.disordered |= packet.time.saturating_add(self.shift) + SECOND < end;
        }
    }

    /// Takes a packet of a capture. Events pile up until they are [taken](Self::take_events).
    #[inline]
    pub fn packet(&mut self, packet: &CapturedPacket<'_>) {
        let time = packet.time.saturating_add(self.shift);
        self.arrive(time);
        match packet.link.content(packet.bytes) {
            Content::Frame(layer, frame) => self.process(frame, layer, packet.interface, time),
            Content::Other(disposition, kind) => {
                let counters = self.engine.counters_mut();
                counters.count(Counter::Packets);
                counters.add(Counter::Bytes, packet.bytes.len() as u64);
                counters.count(disposition);
                if kind != 0 {
                    counters.unread.count(kind);
                }
            }
        }
    }

    #[inline]
    fn process(&mut self, frame: &[u8], layer: Layer, interface: u32, time: u64) {
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        self.engine
            .process(frame, layer, interface, time, &mut |record: &[u8]| {
                pipeline.ring_record(record, events);
            });
    }

    #[inline]
    fn arrive(&mut self, time: u64) {
        let span = self.span.get_or_insert(Span {
            first: time,
            last: time,
        });
        span.first = span.first.min(time);
        span.last = span.last.max(time);
        if time / SECOND != self.second {
            self.turn(time);
        }
    }

    /// Takes an Ethernet frame that came in at `time` (nanoseconds since 1970); frames come in the order of
    /// their times. It may be shorter than its IP packet says. Events pile up until they are
    /// [taken](Self::take_events).
    #[inline]
    pub fn frame(&mut self, time: u64, frame: &[u8]) {
        self.arrive(time);
        self.process(frame, Layer::Ethernet, 0, time);
    }

    /// Comes to `time` (nanoseconds since 1970) without a packet: flows become idle.
    pub fn wait(&mut self, time: u64) {
        if time / SECOND != self.second {
            self.turn(time);
        }
    }

    /// The events since the last time.
    pub fn take_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// What is due when the clock has come to another second. Where it goes back, as it does in captures of
    /// several interfaces, nothing is.
    #[cold]
    fn turn(&mut self, time: u64) {
        let second = time / SECOND;
        let passed = second.saturating_sub(self.second);
        self.second = second;
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        for _ in 0..passed.min(u64::from(SWEEPS)) {
            self.engine.sweep(time, |key, flow, why| match why {
                Why::Active => pipeline.flow_active(key, flow, events),
                Why::Idle => pipeline.flow_ended(key, flow, FlowEndReason::Idle, events),
                Why::Closed => pipeline.flow_ended(key, flow, FlowEndReason::Closed, events),
                Why::Shutdown => pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, events),
            });
        }
        if passed > 0 {
            pipeline.tick(time, events);
        }
    }

    /// Makes the packets that follow come after those that came, so that the files can be read again.
    pub fn begin_again(&mut self) {
        if let Some(span) = self.span {
            // Their first comes a second after the last; the first turn was not shifted.
            self.shift = (span.last - span.first).saturating_add(SECOND);
        }
    }

    /// Ends all flows and sessions. To be called once, after the last file.
    pub fn finish(&mut self, mut on: impl FnMut(&mut Vec<Event>)) {
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        let online = &mut self.online;
        self.engine.drain(|key, flow, _| {
            pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, events);
            analyse(pipeline, online, events);
            if events.len() >= 1_024 {
                on(events);
            }
        });
        self.pipeline.finish(&mut self.events);
        analyse(&mut self.pipeline, &mut self.online, &mut self.events);
        on(&mut self.events);
    }

    /// Detectors, baselines and alerts; only with [`ReplayOptions::analysis`].
    #[must_use]
    pub fn analysis(&self) -> Option<&Analysis> {
        self.online.as_ref().map(Online::analysis)
    }

    /// What the detectors should know since the last time; only with [`PipelineOptions::observe`], and
    /// without [`ReplayOptions::analysis`].
    pub fn take_observations(&mut self) -> Vec<Observation> {
        self.pipeline.take_observations()
    }

    /// The engine's counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        self.engine.counters()
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &PortableEngine {
        &self.engine
    }

    /// The pipeline.
    #[must_use]
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Times of the packets, shifted ones included; `None` before the first.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        self.span
    }

    /// True if a file began more than a second before the end of the one before it: flows and sessions
    /// that go from one into the other were then ended by a clock that was too far on.
    #[must_use]
    pub const fn is_disordered(&self) -> bool {
        self.disordered
    }
}

/// Hands what was observed over.
#[inline]
fn analyse(pipeline: &mut Pipeline, online: &mut Option<Online>, events: &mut Vec<Event>) {
    if let Some(online) = online {
        for seen in pipeline.observations().drain(..) {
            online.observe(&seen, events);
        }
    }
}
