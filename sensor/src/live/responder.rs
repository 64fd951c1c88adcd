//! The response thread: it owns the analysis, and decides about findings with the keeper, which it shares with the
//! [command thread](super::command).
//!
//! The capture thread tells it every second how it fares and what was seen of the rules' targets; it never
//! waits for this thread. Others ask it by [`ResponderHandle::ask`]: questions go before observations.

mod board;
mod carry_out;
mod handle;
mod judgement;
mod options;
mod summary;
mod tell;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_analysis::{
    Analysis, Outcome,
    baseline::Census,
    detect::clinical::Clinical,
    model::{Scorer, WindowSlot},
};
use sensor_facts::{lock::lock, observation::Observation};
use sensor_output::OutputSender;
use sensor_response::{Keeper, Mirrors, RuleResets};

pub(crate) use board::Board;
use handle::Question;
pub use handle::ResponderHandle;
use judgement::Judgement;
pub use judgement::Pulse;
pub use options::ResponderOptions;
pub use summary::Summary;

use super::{
    alive::{Alive, Part},
    command::CommandHandle,
    enforcement::{Enforcement, Shared},
    inbox::{Inbox, Next},
};

/// Observations between two looks whether the daemon ends.
const PACE: usize = 64;
/// Between two times that what goes by the clock is done.
const BEAT: Duration = Duration::from_secs(1);
/// Questions that may wait.
const QUESTIONS: usize = 256;
/// Observations that may wait: some tens of megabytes.
const QUEUE: usize = 65_536;
/// Beats between two times that what was learnt is written to the disk, at least.
const SAVE: u64 = 10;
/// Writing may take one part in so many of the time.
const SAVE_SHARE: u32 = 50;
/// Windows of devices that are judged in a beat: all of 100,000 devices within five minutes, and none holds up a question for long.
const WINDOWS: usize = 512;
/// Devices for each of which there is a beat more between two censuses.
const CENSUS: usize = 2_000;
/// Beats between two times that the sample of flows is.
const SAVE_RECORDED: u64 = 300;

/// What the response thread owns.
pub struct Responder {
    shared: Shared,
    inbox: Arc<Inbox<Question, Observation>>,
    alive: Alive,
    options: ResponderOptions,
    output: OutputSender,
    analysis: Analysis,
    judgement: Judgement,
    /// What outlives the daemon.
    folder: PathBuf,
    board: Arc<Mutex<Board>>,
    beaten: Instant,
    beats: u64,
    /// When what was learnt is written next.
    save_due: u64,
    census: Census,
    /// Observations of a batch that the end cut off.
    unread: usize,
    /// Why what was learnt can't be written.
    unsaved: Option<String>,
}

/// What is known beside observations.
pub struct Knowledge {
    /// Whom devices treat patients with.
    pub clinical: Arc<Mutex<Clinical>>,
    /// What scores flows.
    pub scorer: Option<Scorer>,
    /// Where models of windows come from.
    pub windows: Arc<WindowSlot>,
}

impl Responder {
    /// Starts this thread and the command thread; `folder` keeps what was learnt, `inline` says whether rules drop
    /// anywhere, `mirrors` where resets go.
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
        let Knowledge {
            clinical,
            scorer,
            windows,
        } = knowledge;
        let board = Arc::new(Mutex::new(Board {
            watch: Arc::new(keeper.watch_list()),
            summary: Arc::new(Summary::of(&keeper, 0)),
            account: Arc::default(),
            loss: (0, 0),
        }));
        let judgement = Judgement::new(clinical, options.containment.clone(), inline);
        let analysis = Analysis::open(folder, options.analysis.clone())
            .with_models(scorer, None)
            .with_window_slot(windows);
        let shared = Shared::new(Enforcement::new(
            keeper,
            RuleResets::new(mirrors),
            options.patience(),
            output.clone(),
            Arc::clone(&board),
        ));
        let alive = Alive::default();
        for part in Part::ALL {
            alive.sign(part);
        }
        let (commands, command_thread) = CommandHandle::start(shared.clone(), alive.clone())?;
        let inbox = Inbox::new(QUESTIONS, QUEUE);
        let mut responder = Self {
            analysis,
            judgement,
            folder: folder.to_owned(),
            shared,
            inbox: Arc::clone(&inbox),
            alive: alive.clone(),
            options,
            output,
            board: Arc::clone(&board),
            beaten: Instant::now(),
            beats: 0,
            save_due: SAVE,
            census: Census::default(),
            unread: 0,
            unsaved: None,
        };
        let ended = commands.clone();
        let thread = thread::Builder::new()
            .name("response".into())
            .spawn(move || {
                responder.run();
                // What operators asked for already is in the trail before its end.
                ended.stop();
                if command_thread.join().is_err() {
                    tracing::error!("the command thread panicked");
                }
                responder.keeper_mut().stopped();
                responder.save();
                responder.save_recorded();
                responder.keeper_mut().tell();
            })?;
        let handle = ResponderHandle {
            inbox,
            board,
            commands,
            alive,
        };
        Ok((handle, thread))
    }

    fn run(&mut self) {
        self.beat();
        loop {
            self.alive.sign(Part::Response);
            let rest = BEAT.saturating_sub(self.beaten.elapsed());
            match self.inbox.next(rest) {
                Next::Question(question) => self.answer(question),
                Next::Work(seen) => {
                    for (number, one) in seen.iter().enumerate() {
                        self.consider(one);
                        self.interlude();
                        if number % PACE == 0 && self.inbox.is_over() {
                            self.unread += seen.len() - number - 1;
                            break;
                        }
                    }
                    let now = self.keeper().time();
                    self.analysis.take_scores(now);
                    self.keeper_mut().tell();
                }
                Next::Nothing => {}
                Next::Closed => {
                    let lost = self.inbox.given_up() + self.unread;
                    if lost > 0 {
                        tracing::warn!(
                            lost,
                            "there was no time for the observations that waited at the end: no detector saw them"
                        );
                    }
                    return;
                }
            }
            self.beat_if_due();
        }
    }

    /// Between two observations: what must not wait for the rest of them.
    fn interlude(&mut self) {
        self.alive.sign(Part::Response);
        while self.inbox.is_asked() {
            let Some(question) = self.inbox.question() else {
                break;
            };
            self.answer(question);
        }
        self.beat_if_due();
    }

    fn answer(&mut self, question: Question) {
        question(self);
        self.keeper_mut().tell();
    }

    fn beat_if_due(&mut self) {
        if self.beaten.elapsed() >= BEAT {
            self.beat();
        }
    }

    /// How the capture fares, and what it saw of the rules' targets.
    fn pulse(&mut self, pulse: Pulse) {
        {
            let mut enforcement = self.shared.get();
            let (reports, ended) = enforcement.resets.look();
            enforcement.verify(&pulse.seen, &reports);
            enforcement.note_resets(ended);
        }
        self.judgement.pulse(pulse);
        lock(&self.board).loss = self.judgement.loss();
    }

    /// Every second: what goes by the clock.
    fn beat(&mut self) {
        self.beaten = Instant::now();
        self.beats += 1;
        if self.beats >= self.save_due {
            self.save();
        }
        if self.beats.is_multiple_of(SAVE_RECORDED) {
            self.save_recorded();
        }
        let mut out = Outcome::default();
        let now = self.keeper().time();
        self.analysis.take_scores(now);
        self.analysis.tick_some(now, WINDOWS, &mut out);
        self.take(out);
        self.account();
        self.keeper_mut().tell();
    }

    /// Learns from an observation, and acts on what is found by it.
    fn consider(&mut self, seen: &Observation) {
        self.judgement.learn(seen);
        let mut out = Outcome::default();
        self.analysis.observe(seen, &mut out);
        self.take(out);
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
            let now = self.keeper().time();
            self.census = self.analysis.baselines().census(now);
        }
        let mut account = self.analysis.account(self.census.clone());
        account.evicted += self.judgement.evicted();
        account.failing.clone_from(&self.unsaved);
        lock(&self.board).account = Arc::new(account);
    }

    fn save_recorded(&mut self) {
        if let Err(error) = self.analysis.save_recorded(&self.folder) {
            tracing::warn!("recorded flows can't be written, it is tried again: {error}");
        }
    }

    /// The directory that holds the daemon's state.
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

    /// The keeper. The command thread waits while this is held, so it is not held for long.
    pub fn keeper(&self) -> MutexGuard<'_, Enforcement> {
        self.shared.get()
    }

    /// The keeper, to change something.
    pub fn keeper_mut(&mut self) -> MutexGuard<'_, Enforcement> {
        self.shared.get()
    }

    /// Puts other options in force.
    ///
    /// # Errors
    /// When the kernel does not take the never-block list.
    pub fn reload(&mut self, options: ResponderOptions) -> Result<(), sensor_kernel::KernelError> {
        {
            let mut keeper = self.keeper_mut();
            keeper.configure(&options.protect())?;
            keeper.patience = options.patience();
            keeper.beat();
        }
        self.judgement.set(options.containment.clone());
        self.analysis.set(options.analysis.clone());
        self.options = options;
        self.beat();
        Ok(())
    }
}
