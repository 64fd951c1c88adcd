//! The response thread: it alone owns the keeper, and with it rule book, trail and the kernel's rules.
//!
//! The capture thread tells it every second how it fares and what was seen of the rules' targets; it never
//! waits for this thread. Others ask it by [`ResponderHandle::ask`].

mod carry_out;
mod handle;
mod judgement;
mod options;
mod summary;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_analysis::{
    Analysis, Outcome, alert::AlertUpdate, baseline::Census, detect::clinical::Clinical,
    model::Scorer,
};
use sensor_facts::{
    event::{AlertReport, AuditReport, Body, Event},
    finding::Basis,
    lock::lock,
    observation::Observation,
};
use sensor_output::OutputSender;
use sensor_response::{Keeper, Mirrors, RuleResets};

pub use handle::ResponderHandle;
use handle::{Board, Message};
use judgement::Judgement;
pub use judgement::Pulse;
pub use options::ResponderOptions;
pub use summary::Summary;

/// Between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// Messages that may wait.
const QUEUE: usize = 1_024;
/// Beats between two times that what was learnt is written to the disk, at least.
const SAVE: u64 = 10;
/// Writing may take one part in so many of the time.
const SAVE_SHARE: u32 = 50;
/// Devices for each of which there is a beat more between two censuses.
const CENSUS: usize = 2_000;
/// Beats between two times that the sample of flows is.
const SAVE_RECORDED: u64 = 300;

/// What the response thread owns.
pub struct Responder {
    keeper: Keeper,
    options: ResponderOptions,
    output: OutputSender,
    analysis: Analysis,
    judgement: Judgement,
    /// What outlives the daemon.
    folder: PathBuf,
    resets: RuleResets,
    board: Arc<Mutex<Board>>,
    beaten: Instant,
    beats: u64,
    /// When what was learnt is written next.
    save_due: u64,
    census: Census,
    /// Why what was learnt can't be written.
    unsaved: Option<String>,
}

/// What is known beside observations.
pub struct Knowledge {
    /// Whom devices treat patients with.
    pub clinical: Arc<Mutex<Clinical>>,
    /// What scores flows.
    pub scorer: Option<Scorer>,
}

impl Responder {
    /// Starts the thread; `folder` keeps what was learnt, `inline` says whether rules drop anywhere,
    /// `mirrors` where resets go.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        keeper: Keeper,
        knowledge: Knowledge,
        options: ResponderOptions,
        output: OutputSender,
        folder: &Path,
        inline: bool,
        mirrors: Mirrors,
    ) -> io::Result<(ResponderHandle, JoinHandle<()>)> {
        let Knowledge { clinical, scorer } = knowledge;
        let (messages, inbox) = sync_channel(QUEUE);
        let board = Arc::new(Mutex::new(Board {
            watch: Arc::new(keeper.watch_list()),
            summary: Arc::new(Summary::of(&keeper, 0)),
            account: Arc::default(),
        }));
        let judgement = Judgement::new(clinical, options.containment.clone(), inline);
        let mut analysis = Analysis::open(folder, options.analysis.clone());
        if let Some(scorer) = scorer {
            analysis.set_scorer(scorer);
        }
        let mut responder = Self {
            analysis,
            judgement,
            folder: folder.to_owned(),
            resets: RuleResets::new(mirrors),
            keeper,
            options,
            output,
            board: Arc::clone(&board),
            beaten: Instant::now(),
            beats: 0,
            save_due: SAVE,
            census: Census::default(),
            unsaved: None,
        };
        let thread = thread::Builder::new()
            .name("response".into())
            .spawn(move || {
                responder.run(&inbox);
                responder.keeper.stopped();
                responder.save();
                responder.save_recorded();
                responder.tell();
            })?;
        Ok((ResponderHandle { messages, board }, thread))
    }

    fn run(&mut self, inbox: &Receiver<Message>) {
        self.beat();
        self.tell();
        loop {
            let rest = BEAT.saturating_sub(self.beaten.elapsed());
            match inbox.recv_timeout(rest) {
                Ok(Message::Ask(question)) => {
                    if question(self).is_break() {
                        return;
                    }
                    self.tell();
                }
                Ok(Message::Pulse(pulse)) => {
                    let (reports, ended) = self.resets.look();
                    self.keeper.verify(&pulse.seen, &reports);
                    self.note_resets(ended);
                    self.judgement.pulse(pulse);
                    self.tell();
                }
                Ok(Message::Observed(seen)) => {
                    for one in &seen {
                        self.consider(one);
                    }
                    self.analysis.take_scores(self.keeper.time());
                    self.tell();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.beaten.elapsed() >= BEAT {
                self.beat();
            }
        }
    }

    /// Every second: the heartbeat, what is over, what still waits for the disk.
    fn beat(&mut self) {
        self.beaten = Instant::now();
        self.keeper.follow_clock();
        self.keeper.beat(self.options.patience());
        self.keeper.expire();
        self.beats += 1;
        if self.beats >= self.save_due {
            self.save();
        }
        if self.beats.is_multiple_of(SAVE_RECORDED) {
            self.save_recorded();
        }
        let mut out = Outcome::default();
        self.analysis.take_scores(self.keeper.time());
        self.analysis.tick(self.keeper.time(), &mut out);
        self.take(out);
        self.account();
        self.tell();
    }

    /// Learns from an observation, and acts on what is found by it.
    fn consider(&mut self, seen: &Observation) {
        self.judgement.learn(seen);
        let mut out = Outcome::default();
        self.analysis.observe(seen, &mut out);
        self.take(out);
    }

    /// Decides about findings, then tells of them and of alerts.
    fn take(&mut self, out: Outcome) {
        for finding in out.findings {
            if finding.basis != Basis::Exposure {
                let resets = self.resets.possible();
                let decision = self.judgement.decide(&finding, &self.keeper, resets);
                self.carry_out(&finding, decision);
            }
            let time = finding.time;
            let finding = Box::new(finding);
            self.output
                .send(Event::general(time, Body::Finding { finding }));
        }
        for AlertUpdate { change, alert } in out.alerts {
            let touched = self.judgement.touched(&alert, self.keeper.time());
            self.analysis.touch(alert.id, &touched);
            let Some(alert) = self.analysis.alerts().get(alert.id).cloned() else {
                continue;
            };
            tracing::warn!(
                id = alert.id,
                severity = alert.severity.label(),
                change = change.label(),
                "alert: {}",
                alert.title
            );
            let time = alert.updated;
            let alert = Box::new(AlertReport { change, alert });
            self.output
                .send(Event::general(time, Body::Alert { alert }));
        }
    }

    fn save(&mut self) {
        let begin = Instant::now();
        let saved = self
            .analysis
            .save(&self.folder)
            .and_then(|()| self.judgement.save());
        // All of it is written each time: of very many devices that takes seconds.
        let seconds = (begin.elapsed() * SAVE_SHARE).as_secs();
        self.save_due = self.beats + seconds.max(SAVE);
        self.unsaved = saved.err().map(|error| error.to_string());
        if let Some(error) = &self.unsaved {
            tracing::warn!("what was learnt can't be written, it is tried again: {error}");
        }
    }

    /// Lets others read how analysis stands.
    fn account(&mut self) {
        let every = 1 + self.analysis.baselines().len() / CENSUS;
        if self.beats.is_multiple_of(every as u64) {
            self.census = self.analysis.baselines().census(self.keeper.time());
        }
        let mut account = self.analysis.account(self.census.clone());
        account.failing.clone_from(&self.unsaved);
        lock(&self.board).account = Arc::new(account);
    }

    fn save_recorded(&mut self) {
        if let Err(error) = self.analysis.save_recorded(&self.folder) {
            tracing::warn!("recorded flows can't be written, it is tried again: {error}");
        }
    }

    /// Tells others what was done: the resets, the events, and what the capture is to look out for.
    fn tell(&mut self) {
        if self.keeper.has_done() {
            let ended = self.resets.follow(&self.keeper);
            self.note_resets(ended);
        }
        let done = self.keeper.take_done();
        {
            let mut board = lock(&self.board);
            let sent = self.resets.sent();
            board.summary = Arc::new(Summary::of(&self.keeper, sent));
            if !done.is_empty() {
                board.watch = Arc::new(self.keeper.watch_list());
            }
        }
        for (time, actor, action) in done {
            tracing::info!(by = %actor, "{action}");
            let audit = Box::new(AuditReport { actor, action });
            self.output
                .send(Event::general(time, Body::Audit { audit }));
        }
    }

    /// The state directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Baselines and alerts.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// Baselines and alerts, to change something.
    pub fn analysis_mut(&mut self) -> &mut Analysis {
        &mut self.analysis
    }

    /// The keeper.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The keeper, to change something.
    pub fn keeper_mut(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    /// Puts other options in force.
    ///
    /// # Errors
    /// When the kernel does not take the never-block list.
    pub fn reload(&mut self, options: ResponderOptions) -> Result<(), sensor_kernel::KernelError> {
        self.keeper.configure(&options.protect())?;
        self.judgement.set(options.containment.clone());
        self.analysis.set(options.analysis.clone());
        self.options = options;
        self.beat();
        Ok(())
    }
}
