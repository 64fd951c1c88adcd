//! How others ask and tell the response thread.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sensor_analysis::Account;
use sensor_facts::{effect::WatchList, lock::lock, observation::Observation};
use sensor_response::Keeper;
use tokio::sync::oneshot;

use super::{Board, Pulse, Responder, Summary};
use crate::live::{
    alive::Alive,
    ask::{AskError, answered},
    command::CommandHandle,
    inbox::Inbox,
};

/// How long a question may wait for its answer; a slow disk is waited for.
const ANSWER: Duration = Duration::from_secs(8);
/// How long observations that wait are still worked off when the daemon ends.
const END: Duration = Duration::from_secs(2);

pub(crate) type Question = Box<dyn FnOnce(&mut Responder) + Send>;

/// Asks and tells the response thread, and the command thread beside it.
#[derive(Clone)]
pub struct ResponderHandle {
    pub(crate) inbox: Arc<Inbox<Question, Observation>>,
    pub(crate) board: Arc<Mutex<Board>>,
    pub(crate) commands: CommandHandle,
    pub(crate) alive: Alive,
}

impl ResponderHandle {
    /// Runs `question` on the response thread, before the observations that wait.
    ///
    /// # Errors
    /// [`AskError`]; the question may be answered to no one later.
    pub async fn ask<T, F>(&self, question: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Responder) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.inbox.ask(Box::new(move |responder| {
            // Who asked may have given up; what was asked is done all the same only if not.
            if !reply.is_closed() {
                let _ = reply.send(question(responder));
            }
        }))?;
        answered(answer, ANSWER).await
    }

    /// Runs `command` on the command thread, where nothing waits but what operators ask for.
    ///
    /// # Errors
    /// [`AskError`]; the command may be answered to no one later.
    pub async fn command<T, F>(&self, command: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Keeper) -> T + Send + 'static,
    {
        self.commands.ask(command).await
    }

    /// Tells how the capture fares; what does not get through is told with the next.
    pub fn pulse(&self, pulse: Pulse) {
        // The thread is gone only when the daemon ends.
        let _ = self
            .inbox
            .ask(Box::new(move |responder| responder.pulse(pulse)));
    }

    /// Tells what was observed; how many of them are lost, as the queue is full.
    #[must_use]
    pub fn observe(&self, seen: Vec<Observation>) -> u64 {
        if seen.is_empty() {
            return 0;
        }
        self.inbox.give(seen) as u64
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

    /// Packets and ring events of the last minute, and how many of these were lost to the evidence.
    #[must_use]
    pub fn loss(&self) -> (u64, u64) {
        lock(&self.board).loss
    }

    /// When the daemon's threads last went on.
    #[must_use]
    pub fn alive(&self) -> &Alive {
        &self.alive
    }

    /// Ends both threads, after what is asked already, and the observations for which there is time.
    pub fn stop(&self) {
        self.inbox.close(END);
    }
}
