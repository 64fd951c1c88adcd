//! The response thread: it alone owns the keeper, and with it rule book, trail and the kernel's rules.
//!
//! The capture thread tells it every second how it fares and what was seen of the rules' targets; it never
//! waits for this thread. Others ask it by [`ResponderHandle::ask`].

use std::{
    collections::HashMap,
    io,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::timeout};

use super::{
    Keeper, RuleId, State, Verdict,
    effect::{Sighting, WatchList},
};
use crate::{
    daemon::AskError,
    event::{AuditReport, Body, Event},
    output::OutputSender,
};

/// Between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// Messages that may wait.
const QUEUE: usize = 1_024;
/// How long a question may wait for its answer; a slow disk is waited for.
const ANSWER: Duration = Duration::from_secs(8);

/// What the capture thread tells each second.
#[derive(Debug, Default)]
pub struct Pulse {
    /// What was seen of the rules' targets since the last pulse.
    pub seen: HashMap<RuleId, Sighting>,
}

type Question = Box<dyn FnOnce(&mut Responder) -> ControlFlow<()> + Send>;

enum Message {
    Ask(Question),
    Pulse(Pulse),
}

/// What can be set anew while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponderOptions {
    /// Without the daemon for longer, all rules but sticky ones pass.
    pub patience: Duration,
    /// What the configuration protects.
    pub protect: Vec<super::Protected>,
}

/// What the response thread owns.
pub struct Responder {
    keeper: Keeper,
    options: ResponderOptions,
    output: OutputSender,
    board: Arc<Mutex<Board>>,
    beaten: Instant,
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
}

/// How containment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rules by [`State`].
    pub rules: Vec<(State, u64)>,
    /// Rules that drop, by whether they work.
    pub effects: Vec<(Verdict, u64)>,
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

    /// Ends the thread, after what is asked already.
    pub fn stop(&self) {
        // It may have ended already.
        let _ = self
            .messages
            .send(Message::Ask(Box::new(|_| ControlFlow::Break(()))));
    }
}

impl Responder {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        keeper: Keeper,
        options: ResponderOptions,
        output: OutputSender,
    ) -> io::Result<(ResponderHandle, JoinHandle<()>)> {
        let (messages, inbox) = sync_channel(QUEUE);
        let board = Arc::new(Mutex::new(Board {
            watch: Arc::new(keeper.watch_list()),
            summary: Arc::new(Summary::of(&keeper)),
        }));
        let mut responder = Self {
            keeper,
            options,
            output,
            board: Arc::clone(&board),
            beaten: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name("response".into())
            .spawn(move || {
                responder.run(&inbox);
                responder.keeper.stopped();
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
                    self.keeper.verify(&pulse.seen);
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
        self.keeper.beat(self.options.patience);
        self.keeper.expire();
        self.keeper.journal.retry();
        self.tell();
    }

    /// Tells others what was done: the events, and what the capture is to look out for.
    fn tell(&mut self) {
        let done = self.keeper.take_done();
        {
            let mut board = lock(&self.board);
            board.summary = Arc::new(Summary::of(&self.keeper));
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
        self.keeper.configure(&options.protect)?;
        self.options = options;
        self.beat();
        Ok(())
    }
}

impl Summary {
    fn of(keeper: &Keeper) -> Self {
        let journal = keeper.journal();
        let rules = || keeper.book().rules();
        let count = |state| rules().filter(|rule| rule.state == state).count() as u64;
        let mut effects = Verdict::ALL.map(|verdict| (verdict, 0));
        let mut not_effective = Vec::new();
        for rule in rules().filter(|rule| rule.state == State::Enabled) {
            let effect = keeper.effect(rule.id);
            for (_, count) in effects.iter_mut().filter(|(it, _)| *it == effect.verdict) {
                *count += 1;
            }
            if effect.verdict == Verdict::NotEffective {
                not_effective.push((rule.id, effect.detail));
            }
        }
        Self {
            rules: State::ALL.map(|state| (state, count(state))).to_vec(),
            effects: effects.to_vec(),
            not_effective,
            protected: keeper.book().protected().count() as u64,
            trail: journal.path().display().to_string(),
            entries: journal.entries(),
            waiting: journal.waiting() as u64,
            dropped: journal.dropped(),
            failing: journal.failing().map(str::to_owned),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
