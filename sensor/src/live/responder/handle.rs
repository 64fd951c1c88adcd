//! How others ask and tell the response thread.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use sensor_analysis::Account;
use sensor_facts::{effect::WatchList, lock::lock, observation::Observation};
use tokio::sync::oneshot;

use super::{Pulse, Responder, Summary};
use crate::live::ask::{AskError, answered};

/// How long a question may wait for its answer; a slow disk is waited for.
const ANSWER: Duration = Duration::from_secs(8);

type Question = Box<dyn FnOnce(&mut Responder) -> ControlFlow<()> + Send>;

pub(crate) enum Message {
    Ask(Question),
    Pulse(Pulse),
    Observed(Vec<Observation>),
}

/// Asks and tells the response thread.
#[derive(Clone)]
pub struct ResponderHandle {
    pub(crate) messages: SyncSender<Message>,
    pub(crate) board: Arc<Mutex<Board>>,
}

/// What others may read without asking.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) watch: Arc<WatchList>,
    pub(crate) summary: Arc<Summary>,
    pub(crate) account: Arc<Account>,
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
        answered(answer, ANSWER).await
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
