//! The keeper and the resets, which change what is blocked and are shared by two threads.
//!
//! The response thread decides about findings, as many as an attacker likes to make. The command thread does what operators
//! ask for, and sends the heartbeat: it goes first whenever it wants to.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use sensor_facts::{
    action::Action,
    event::{AuditReport, Body, Event},
    lock::lock,
    rule::Actor,
};
use sensor_output::OutputSender;
use sensor_response::{Ended, Keeper, RuleResets};

use super::responder::{Board, Summary};

/// How long the response thread steps back when the command thread wants to go first.
const STEP_BACK: Duration = Duration::from_micros(50);

/// What may change what is blocked.
pub struct Enforcement {
    keeper: Keeper,
    /// TCP resets for rules about connections.
    pub(crate) resets: RuleResets,
    /// For how long the kernel waits for a heartbeat.
    pub(crate) patience: Duration,
    output: OutputSender,
    board: Arc<Mutex<Board>>,
}

impl Deref for Enforcement {
    type Target = Keeper;

    fn deref(&self) -> &Keeper {
        &self.keeper
    }
}

impl DerefMut for Enforcement {
    fn deref_mut(&mut self) -> &mut Keeper {
        &mut self.keeper
    }
}

impl Enforcement {
    pub(crate) fn new(
        keeper: Keeper,
        resets: RuleResets,
        patience: Duration,
        output: OutputSender,
        board: Arc<Mutex<Board>>,
    ) -> Self {
        Self {
            keeper,
            resets,
            patience,
            output,
            board,
        }
    }

    /// Every second: the heartbeat, what is over, what repeated.
    pub(crate) fn beat(&mut self) {
        self.keeper.follow_clock();
        self.keeper.beat(self.patience);
        self.keeper.expire();
        self.keeper.summarise();
        self.tell();
    }

    /// Writes down what resets came to.
    pub(crate) fn note_resets(&mut self, ended: Vec<Ended>) {
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
    pub(crate) fn tell(&mut self) {
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
}

/// What two threads share, one of which goes first. By default that is the [`Enforcement`].
pub struct Shared<T = Enforcement> {
    shared: Arc<Mutex<T>>,
    /// Those who want to go first.
    first: Arc<AtomicUsize>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            first: Arc::clone(&self.first),
        }
    }
}

impl<T> Shared<T> {
    pub(crate) fn new(shared: T) -> Self {
        Self {
            shared: Arc::new(Mutex::new(shared)),
            first: Arc::default(),
        }
    }

    /// For the command thread: nobody else goes first once this is called.
    pub(crate) fn first(&self) -> MutexGuard<'_, T> {
        self.first.fetch_add(1, Ordering::AcqRel);
        let guard = lock(&self.shared);
        self.first.fetch_sub(1, Ordering::AcqRel);
        guard
    }

    /// For the response thread, which takes it thousands of times a second in a flood.
    pub fn get(&self) -> MutexGuard<'_, T> {
        while self.first.load(Ordering::Acquire) > 0 {
            thread::sleep(STEP_BACK);
        }
        lock(&self.shared)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicBool, time::Instant};

    use super::*;

    /// A thread that takes it again as soon as it has let go, as in a flood of findings.
    #[test]
    fn who_goes_first_never_waits_for_more_than_one_turn() {
        const TURN: Duration = Duration::from_millis(2);
        let shared = Shared::new(0_u64);
        let over = Arc::new(AtomicBool::new(false));
        let flood = {
            let (shared, over) = (shared.clone(), Arc::clone(&over));
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut turns = shared.get();
                    *turns += 1;
                    let begin = Instant::now();
                    while begin.elapsed() < TURN {
                        std::hint::spin_loop();
                    }
                }
            })
        };
        while *shared.get() == 0 {
            thread::yield_now();
        }
        let mut most = 0;
        for _ in 0..100 {
            let before = *shared.first();
            let after = *shared.first();
            most = most.max(after - before);
        }
        over.store(true, Ordering::Relaxed);
        flood.join().unwrap();
        assert!(most <= 1, "{most} turns went before");
    }
}
