//! The capture thread: it alone owns kernel side and pipeline, and waits for no one.
//!
//! Others ask it by [`CaptureHandle::ask`]; events leave it through a queue that never blocks.

mod handle;
mod loss;
mod turn;

use std::{
    io,
    ops::ControlFlow,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sensor_analysis::model::Models;
use sensor_common::counter::Counters;
use sensor_evidence::store::StoreHandle;
use sensor_facts::{
    clock,
    event::Event,
    time::{Time, Timebase},
};
use sensor_kernel::{Kernel, KernelError, Ring, SweepStats};
use sensor_output::{Output, OutputHandle, OutputStats};
use sensor_sessions::pipeline::{FlowEndReason, Pipeline};
use tokio::{
    io::unix::AsyncFd,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use super::{
    memory,
    mirror::{self, Mirror},
    snapshot::{Configuration, FailedReload, InterfaceSnapshot, LeftOver, Snapshot},
    sweep::Sweep,
    tally::Tally,
};
use crate::live::{alive::Part, options::DaemonOptions, responder::ResponderHandle};

pub use handle::{AskError, CaptureHandle};

use handle::{QUESTIONS, Question};
use loss::Loss;

/// Between two batches of the sweeper.
const TURN: Duration = Duration::from_millis(100);
/// Ring records taken before others have their turn.
const RECORDS: usize = 4_096;
/// Ring records taken at most where the ring should be empty afterwards.
const RECORDS_ALL: usize = 1 << 18;
/// How long the rest of the outputs' queues may take at the end.
const END: Duration = Duration::from_secs(4);

/// What the capture thread owns. See the module's description.
pub struct Capture {
    options: DaemonOptions,
    kernel: Kernel,
    ring: Option<AsyncFd<Ring>>,
    pipeline: Pipeline,
    timebase: Timebase,
    start: Time,
    sweep: Sweep,
    left_over: LeftOver,
    /// Observations that the response did not take.
    unobserved: u64,
    /// What the last pulse counted.
    pulsed: Loss,
    /// Flows that were evicted so far, and those of them that were evicted under pressure.
    evicted: (u64, u64),
    counters: Vec<Counters>,
    mirror: Mirror,
    tally: Tally,
    events: Vec<Event>,
    response: ResponderHandle,
    models: Arc<Models>,
    output: Output,
    output_view: OutputHandle,
    store: Option<StoreHandle>,
    configuration: Configuration,
    turns: u32,
    last_stats: Instant,
}

/// How a capture ended.
pub(crate) type Ended = Result<(Snapshot, Vec<OutputStats>), KernelError>;

/// What the capture thread works with.
pub(crate) struct Parts {
    pub(crate) kernel: Kernel,
    pub(crate) output: Output,
    pub(crate) response: ResponderHandle,
    pub(crate) models: Arc<Models>,
    pub(crate) store: Option<StoreHandle>,
}

/// Starts the capture thread; how it ended comes through the receiver.
pub(crate) fn start(
    options: DaemonOptions,
    parts: Parts,
) -> io::Result<(CaptureHandle, oneshot::Receiver<Ended>)> {
    let (questions, asked) = mpsc::channel(QUESTIONS);
    let (end, ended) = oneshot::channel();
    // Epoll is all that this runtime is for.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("capture".into())
        .spawn(move || {
            let capture = Capture::new(options, parts);
            // Nobody listens any more only if the daemon fails already.
            let _ = end.send(runtime.block_on(capture.run(asked)));
        })?;
    Ok((CaptureHandle { questions }, ended))
}

impl Capture {
    fn new(options: DaemonOptions, parts: Parts) -> Self {
        let Parts {
            kernel,
            output,
            response,
            models,
            store,
        } = parts;
        let timebase = clock::timebase();
        let mut pipeline = options.pipeline.clone();
        pipeline.timebase = timebase;
        pipeline.observe = true;
        pipeline.interfaces = kernel
            .interfaces()
            .iter()
            .map(|interface| (interface.index, interface.name.as_str().into()))
            .collect();
        let mirror = Mirror::new(kernel.interfaces(), memory::read_mirror(&options.state));
        let mut pipeline = Pipeline::new(pipeline);
        pipeline.remember(memory::read(&options.state));
        Self {
            sweep: Sweep::new(
                &options.kernel.tables,
                kernel.inherited().iter().any(|one| *one != Counters::ZERO),
            ),
            left_over: LeftOver::default(),
            unobserved: 0,
            pulsed: Loss::default(),
            evicted: (0, 0),
            counters: kernel.inherited().to_vec(),
            mirror,
            pipeline,
            start: timebase.wall(clock::monotonic()),
            timebase,
            tally: Tally::default(),
            events: Vec::new(),
            output_view: output.handle(),
            store,
            response,
            models,
            output,
            ring: None,
            configuration: Configuration {
                hash: options.config_hash.clone(),
                since: timebase.wall(clock::monotonic()),
                ..Configuration::default()
            },
            turns: 0,
            last_stats: Instant::now(),
            options,
            kernel,
        }
    }

    async fn run(mut self, mut questions: mpsc::Receiver<Question>) -> Ended {
        let ring = self
            .kernel
            .take_ring()
            .ok_or(KernelError::Shape { name: "EVENTS" })?;
        self.watch_site();
        self.take_left_over();
        let epoll = |source| KernelError::System {
            call: "epoll",
            source,
        };
        let mut ring = ring.into_async().map_err(epoll)?;
        let mut turn = interval(TURN);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.response.alive().sign(Part::Capture);
            tokio::select! {
                ready = ring.readable_mut() => {
                    let mut ready = ready.map_err(epoll)?;
                    if self.drain(ready.get_inner_mut(), RECORDS) < RECORDS {
                        ready.clear_ready();
                    }
                }
                _ = turn.tick() => {
                    self.turn(ring.get_mut());
                }
                question = questions.recv() => {
                    self.ring = Some(ring);
                    let flow = question.map_or(ControlFlow::Break(()), |question| question(&mut self));
                    let Some(back) = self.ring.take() else {
                        return Err(KernelError::Shape { name: "EVENTS" });
                    };
                    ring = back;
                    if flow.is_break() {
                        return Ok(self.end(ring.into_inner()));
                    }
                }
            }
        }
    }

    /// Takes what earlier daemons left in their rings.
    fn take_left_over(&mut self) {
        for mut ring in self.kernel.take_left_over() {
            while self.drain(&mut ring, RECORDS) == RECORDS {}
        }
        let stats = self.pipeline.stats();
        self.left_over = LeftOver {
            records: stats.records,
            flows: stats.flow_records,
            chunks: stats.chunks,
        };
    }

    /// Takes ring records, at most `limit`; how many there were.
    fn drain(&mut self, ring: &mut Ring, limit: usize) -> usize {
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        let count = ring.drain(limit, |record| pipeline.ring_record(record, events));
        self.send();
        count
    }

    fn send(&mut self) {
        let seen = self.pipeline.take_observations();
        // Evidence that was lost counts as loss.
        self.unobserved += self.response.observe(seen);
        for event in self.events.drain(..) {
            self.tally.take(&event);
            self.output.send(event);
        }
    }

    fn read_counters(&mut self) {
        match self.kernel.counters() {
            Ok(counters) => self.counters = counters,
            Err(error) => tracing::error!("the kernel's counters can't be read: {error}"),
        }
    }

    fn stats_event(&mut self) -> Event {
        let snapshot = self.snapshot();
        Event::stats(snapshot.time, snapshot.stats())
    }

    /// The state now: first the kernel's counters, then all that is in the ring, so that at a quiet
    /// moment `offered = received + lost`.
    pub fn snapshot(&mut self) -> Snapshot {
        self.read_counters();
        if let Some(mut ring) = self.ring.take() {
            self.drain(ring.get_mut(), RECORDS_ALL);
            self.ring = Some(ring);
        }
        Snapshot {
            time: self.timebase.wall(clock::monotonic()),
            start: self.start,
            interfaces: self
                .kernel
                .interfaces()
                .iter()
                .cloned()
                .zip(self.counters.iter().zip(self.kernel.inherited()))
                .zip(self.mirror.health())
                .map(
                    |((attached, (counters, inherited)), health)| InterfaceSnapshot {
                        attached,
                        counters: *counters,
                        inherited: *inherited,
                        health,
                    },
                )
                .collect(),
            tables: self.kernel.flows().occupancy(),
            flows: self.sweep.account(),
            pressure: self.options.kernel.settings.pressure != 0,
            pipeline: self.pipeline.stats(),
            left_over: self.left_over,
            tally: self.tally.clone(),
            containment: self.response.summary(),
            loss: self.response.loss(),
            analysis: self.response.account(),
            unobserved: self.unobserved,
            model: self.models.summary(),
            outputs: self.output_view.stats(),
            store: self.store.as_ref().map(StoreHandle::status),
            configuration: self.configuration.clone(),
        }
    }

    /// Flows, sessions and hosts.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What of the mirror is to be kept over a restart.
    pub(crate) fn mirror_memory(&self) -> mirror::Memory {
        self.mirror.memory(self.kernel.interfaces())
    }

    /// The options in force.
    #[must_use]
    pub fn options(&self) -> &DaemonOptions {
        &self.options
    }

    /// Puts in force what of `new` can change at run time, and opens the output anew; the names of the
    /// settings that take a restart.
    pub(crate) fn reload(&mut self, new: &DaemonOptions) -> Vec<&'static str> {
        let restart = self.options.restart_needed(new);
        let pressure = self.options.kernel.settings.pressure;
        self.options.adopt(new);
        self.options.kernel.settings.pressure = pressure;
        self.kernel.flows().set_active(self.options.kernel.active);
        self.watch_site();
        self.apply();
        self.output_view.reopen(&self.options.output);
        self.configuration = Configuration {
            hash: new.config_hash.clone(),
            since: self.timebase.wall(clock::monotonic()),
            restart: restart.clone(),
            failed: None,
        };
        restart
    }

    /// A new configuration was not taken; the output is opened anew all the same.
    pub(crate) fn not_reloaded(&mut self, failed: FailedReload) {
        self.configuration.failed = Some(failed);
        self.output_view.reopen(&self.options.output);
    }

    /// Takes the programs off, then all that is still in the kernel, and writes everything out.
    fn end(mut self, mut ring: Ring) -> (Snapshot, Vec<OutputStats>) {
        let deadline = Instant::now() + END;
        self.kernel.detach();
        self.read_counters();
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        while ring.drain(RECORDS_ALL, |record| pipeline.ring_record(record, events)) > 0 {}
        // Where the programs go on, so do the flows, and the next daemon reports them.
        let drained = if self.kernel.stays() {
            Ok(SweepStats::default())
        } else {
            self.kernel.flows().drain(|item| {
                pipeline.flow_ended(&item.key, &item.flow, FlowEndReason::Shutdown, events);
            })
        };
        match drained {
            Ok(stats) => self.sweep.drained(&self.counters, stats),
            Err(error) => tracing::error!("the flow tables can't be read to their end: {error}"),
        }
        pipeline.finish(events);
        for event in std::mem::take(&mut self.events) {
            self.tally.take(&event);
            self.output.send_until(event, deadline);
        }
        let event = self.stats_event();
        self.output.send_until(event, deadline);
        let snapshot = self.snapshot();
        (snapshot, self.output.close(deadline))
    }
}
