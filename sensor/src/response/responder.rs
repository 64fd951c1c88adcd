//! The response thread: it alone owns the keeper, and with it rule book, trail and the kernel's rules.
//!
//! The capture thread tells it every second how it fares and what was seen of the rules' targets; it never
//! waits for this thread. Others ask it by [`ResponderHandle::ask`].

use std::{
    collections::{HashMap, VecDeque},
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ipnet::IpNet;
use tokio::{sync::oneshot, time::timeout};

use super::{
    Actor, Keeper, Protected, RuleId, Scope, State, Verdict as Effect, Wish,
    effect::{Sighting, WatchList},
    policy::{self, Decision, Policy, Situation, Verdict},
    resets::{Ended, Mirrors, Resets},
};
use crate::{
    alert::{Alert, Decided, Told, Touched},
    analysis::{Account, Analysis, AnalysisOptions, Outcome},
    audit::{self, Action},
    baseline::Census,
    config::Containment,
    daemon::AskError,
    detect::{Basis, Finding, Observation, clinical::Clinical},
    event::{AlertReport, AuditReport, Body, Event, Time},
    lock::lock,
    model::Scorer,
    output::OutputSender,
};

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
/// Pulses over which the loss is measured: a minute.
const LOSS_PULSES: usize = 60;
/// How long a question may wait for its answer; a slow disk is waited for.
const ANSWER: Duration = Duration::from_secs(8);

/// What the capture thread tells each second.
#[derive(Debug, Default)]
pub struct Pulse {
    /// What was seen of the rules' targets since the last pulse.
    pub seen: HashMap<RuleId, Sighting>,
    /// Packets and ring events since the last pulse.
    pub offered: u64,
    /// Of these, lost or not understood.
    pub lost: u64,
    /// Known devices by [`policy::neighbourhood`]; `None`: as before.
    pub devices: Option<HashMap<IpNet, usize>>,
}

type Question = Box<dyn FnOnce(&mut Responder) -> ControlFlow<()> + Send>;

enum Message {
    Ask(Question),
    Pulse(Pulse),
    Observed(Vec<Observation>),
}

/// What can be set anew while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponderOptions {
    /// What may be done by itself, and what is protected.
    pub containment: Containment,
    /// Baselines, detectors, alerts.
    pub analysis: AnalysisOptions,
}

impl ResponderOptions {
    /// What the configuration protects.
    #[must_use]
    pub fn protect(&self) -> Vec<Protected> {
        let protect = &self.containment.protect;
        protect.iter().map(|never| never.0).collect()
    }

    fn patience(&self) -> Duration {
        self.containment.heartbeat.into()
    }
}

/// What the response thread owns.
pub struct Responder {
    keeper: Keeper,
    options: ResponderOptions,
    output: OutputSender,
    analysis: Analysis,
    judgement: Judgement,
    /// What outlives the daemon.
    folder: PathBuf,
    resets: Resets,
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

/// From findings to decisions.
struct Judgement {
    clinical: Arc<Mutex<Clinical>>,
    policy: Policy,
    /// Offered and lost, of the last pulses.
    losses: VecDeque<(u64, u64)>,
    devices: HashMap<IpNet, usize>,
    inline: bool,
}

/// Asks and tells the response thread.
#[derive(Clone)]
pub struct ResponderHandle {
    messages: SyncSender<Message>,
    board: Arc<Mutex<Board>>,
}

/// What others may read without asking.
#[derive(Debug, Default)]
struct Board {
    watch: Arc<WatchList>,
    summary: Arc<Summary>,
    account: Arc<Account>,
}

/// How containment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rules by [`State`].
    pub rules: Vec<(State, u64)>,
    /// Rules that drop, by whether they work.
    pub effects: Vec<(Effect, u64)>,
    /// Rules that drop and were seen not to, with how that is known.
    pub not_effective: Vec<(RuleId, String)>,
    /// Entries of the never-block list.
    pub protected: u64,
    /// The trail's file.
    pub trail: String,
    /// Its entries on the disk.
    pub entries: u64,
    /// Entries that wait for the disk.
    pub waiting: u64,
    /// Entries that were dropped because too many waited.
    pub dropped: u64,
    /// Why the trail can't be written now.
    pub failing: Option<String>,
    /// TCP resets sent since the start.
    pub resets: u64,
}

impl ResponderHandle {
    /// Runs `question` on the response thread.
    ///
    /// # Errors
    /// [`AskError`]; the question may be answered to no one later.
    pub async fn ask<T, F>(&self, question: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Responder) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask(Box::new(move |responder| {
            // Who asked may have given up; what was asked is done all the same only if not.
            if !reply.is_closed() {
                let _ = reply.send(question(responder));
            }
            ControlFlow::Continue(())
        })))?;
        match timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(AskError::Over),
            Err(_) => Err(AskError::Late),
        }
    }

    fn send(&self, message: Message) -> Result<(), AskError> {
        self.messages
            .try_send(message)
            .map_err(|error| match error {
                TrySendError::Full(_) => AskError::Busy,
                TrySendError::Disconnected(_) => AskError::Over,
            })
    }

    /// Tells how the capture fares; what does not get through is told with the next.
    pub fn pulse(&self, pulse: Pulse) {
        // The thread is gone only when the daemon ends.
        let _ = self.send(Message::Pulse(pulse));
    }

    /// Tells what was observed; false if the queue is full and it is lost.
    #[must_use]
    pub fn observe(&self, seen: Vec<Observation>) -> bool {
        seen.is_empty() || self.send(Message::Observed(seen)).is_ok()
    }

    /// What the capture thread is to look out for.
    #[must_use]
    pub fn watch_list(&self) -> Arc<WatchList> {
        Arc::clone(&lock(&self.board).watch)
    }

    /// How containment stands, at most a second old.
    #[must_use]
    pub fn summary(&self) -> Arc<Summary> {
        Arc::clone(&lock(&self.board).summary)
    }

    /// How analysis stands, at most a second old; its census, for many devices, up to a minute.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&lock(&self.board).account)
    }

    /// Ends the thread, after what is asked already.
    pub fn stop(&self) {
        // It may have ended already.
        let _ = self
            .messages
            .send(Message::Ask(Box::new(|_| ControlFlow::Break(()))));
    }
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
        let judgement = Judgement {
            clinical,
            policy: Policy::new(options.containment.clone()),
            losses: VecDeque::new(),
            devices: HashMap::new(),
            inline,
        };
        let mut analysis = Analysis::open(folder, options.analysis.clone());
        if let Some(scorer) = scorer {
            analysis.set_scorer(scorer);
        }
        let mut responder = Self {
            analysis,
            judgement,
            folder: folder.to_owned(),
            resets: Resets::new(mirrors),
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
        lock(&self.judgement.clinical).learn(seen);
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
        for Told { change, alert } in out.told {
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
            .and_then(|()| lock(&self.judgement.clinical).save());
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

    /// Does what was decided, and writes it down, also if it was to do nothing.
    fn carry_out(&mut self, finding: &Finding, mut decision: Decision) {
        let actor = Actor::Policy {
            group: decision.group.clone(),
        };
        let found = format!("{}: {}", finding.detector, finding.evidence);
        let mut rule = None;
        if let (Verdict::Act | Verdict::Propose, Some((target, ttl))) =
            (decision.verdict, decision.target)
        {
            let wish = Wish {
                target,
                scope: Scope::All,
                state: if decision.verdict == Verdict::Act {
                    State::Enabled
                } else {
                    State::Proposed
                },
                sticky: false,
                ttl: Duration::from_nanos(ttl),
                reason: found.clone(),
            };
            match self.keeper.add(&actor, wish) {
                Ok((id, _)) => rule = Some(id),
                Err(denied) => {
                    decision.verdict = Verdict::Refuse;
                    decision.reason = denied.to_string();
                }
            }
        }
        let decided = Decided {
            time: finding.time,
            verdict: decision.verdict.label().to_owned(),
            target: decision.target.map(|(target, _)| target),
            reason: decision.reason.clone(),
        };
        self.analysis.decided(finding, &decided);
        let action = Action::Decided(audit::Decision {
            finding: found,
            subject: finding.subject.to_string(),
            target: decision.target.map(|(target, _)| target),
            group: decision.group,
            mode: decision.mode.label().to_owned(),
            verdict: decision.verdict.label().to_owned(),
            reason: decision.reason,
            rule,
        });
        self.keeper.record(&actor, action);
    }

    /// Writes down what resets came to.
    fn note_resets(&mut self, ended: Vec<Ended>) {
        for Ended {
            id,
            packets,
            outcome,
        } in ended
        {
            let action = Action::Reset {
                id,
                packets,
                outcome,
            };
            self.keeper.record(&Actor::Daemon, action);
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
    pub fn reload(&mut self, options: ResponderOptions) -> Result<(), crate::kernel::KernelError> {
        self.keeper.configure(&options.protect())?;
        self.judgement.policy.set(options.containment.clone());
        self.analysis.set(options.analysis.clone());
        self.options = options;
        self.beat();
        Ok(())
    }
}

impl Judgement {
    fn pulse(&mut self, pulse: Pulse) {
        if self.losses.len() == LOSS_PULSES {
            self.losses.pop_front();
        }
        self.losses.push_back((pulse.offered, pulse.lost));
        if let Some(devices) = pulse.devices {
            self.devices = devices;
        }
    }

    /// Loss in the last minute, per cent.
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    fn loss_percent(&self) -> f64 {
        let (offered, lost) = self
            .losses
            .iter()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        if offered == 0 {
            return 0.0;
        }
        lost as f64 * 100.0 / offered as f64
    }

    fn decide(&mut self, finding: &Finding, keeper: &Keeper, resets: bool) -> Decision {
        let neighbours = policy::neighbourhood(finding.subject);
        let situation = Situation {
            now: keeper.time(),
            book: keeper.book(),
            loss_percent: self.loss_percent(),
            known_devices: self.devices.get(&neighbours).copied().unwrap_or(0),
            inline: self.inline,
            resets,
        };
        self.policy.decide(finding, &situation)
    }

    /// What containment of an alert's device would touch.
    fn touched(&self, alert: &Alert, now: Time) -> Touched {
        let peers = lock(&self.clinical).peers_of(alert.device, now);
        Touched::by(alert, &peers)
    }
}

impl Summary {
    fn of(keeper: &Keeper, resets: u64) -> Self {
        let trail = keeper.trail();
        let status = trail.status();
        let rules = || keeper.book().rules();
        let count = |state| rules().filter(|rule| rule.state == state).count() as u64;
        let mut effects = Effect::ALL.map(|verdict| (verdict, 0));
        let mut not_effective = Vec::new();
        for rule in rules().filter(|rule| rule.state == State::Enabled) {
            let effect = keeper.effect(rule.id);
            for (_, count) in effects.iter_mut().filter(|(it, _)| *it == effect.verdict) {
                *count += 1;
            }
            if effect.verdict == Effect::NotEffective {
                not_effective.push((rule.id, effect.detail));
            }
        }
        Self {
            rules: State::ALL.map(|state| (state, count(state))).to_vec(),
            effects: effects.to_vec(),
            not_effective,
            protected: keeper.book().protected().count() as u64,
            trail: trail.path().display().to_string(),
            entries: status.entries,
            waiting: status.waiting,
            dropped: status.dropped,
            failing: status.failing,
            resets,
        }
    }
}
