//! The command thread: it does what operators ask for, and tells the kernel each second that the daemon lives.
//!
//! Nothing that an attacker can make more of waits in its queue. Findings, baselines and writing what was learnt are the
//! response thread's, which steps back whenever this one wants the keeper.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_response::Keeper;
use tokio::sync::oneshot;

use super::{
    alive::{Alive, Part},
    ask::{AskError, answered},
    enforcement::Shared,
    inbox::{Inbox, Next},
};

/// Between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// How long a command may wait for its answer.
const ANSWER: Duration = Duration::from_secs(8);
/// Commands that may wait.
const QUEUE: usize = 256;

type Command = Box<dyn FnOnce(&mut Keeper) + Send>;

/// Asks the command thread.
#[derive(Clone)]
pub struct CommandHandle {
    inbox: Arc<Inbox<Command, ()>>,
}

impl CommandHandle {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(crate) fn start(shared: Shared, alive: Alive) -> io::Result<(Self, JoinHandle<()>)> {
        let inbox = Inbox::new(QUEUE, 1);
        let mine = Arc::clone(&inbox);
        let thread = thread::Builder::new()
            .name("command".into())
            .spawn(move || run(&shared, &alive, &mine))?;
        Ok((Self { inbox }, thread))
    }

    /// Runs `command` on the command thread.
    ///
    /// # Errors
    /// [`AskError`]; the command may be answered to no one later.
    pub async fn ask<T, F>(&self, command: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Keeper) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.inbox.ask(Box::new(move |keeper: &mut Keeper| {
            // Who asked may have given up; what was asked is done all the same only if not.
            if !reply.is_closed() {
                let _ = reply.send(command(keeper));
            }
        }))?;
        answered(answer, ANSWER).await
    }

    /// Ends the thread, after what is asked already.
    pub(crate) fn stop(&self) {
        self.inbox.close(Duration::ZERO);
    }
}

fn run(shared: &Shared, alive: &Alive, inbox: &Inbox<Command, ()>) {
    let mut beaten = Instant::now();
    shared.first().beat();
    loop {
        alive.sign(Part::Command);
        match inbox.next(BEAT.saturating_sub(beaten.elapsed())) {
            Next::Question(command) => {
                let mut enforcement = shared.first();
                command(&mut enforcement);
                enforcement.tell();
            }
            Next::Work(_) | Next::Nothing => {}
            Next::Closed => return,
        }
        if beaten.elapsed() >= BEAT {
            beaten = Instant::now();
            shared.first().beat();
        }
    }
}
