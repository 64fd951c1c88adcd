//! How others ask the capture thread.

use std::{ops::ControlFlow, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::Capture;
pub use crate::live::ask::AskError;
use crate::live::ask::answered;

/// How long a question may wait for its answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Questions that may wait.
pub(crate) const QUESTIONS: usize = 8;

pub(crate) type Question = Box<dyn FnOnce(&mut Capture) -> ControlFlow<()> + Send>;

/// Asks the capture thread.
#[derive(Clone)]
pub struct CaptureHandle {
    pub(crate) questions: mpsc::Sender<Question>,
}

impl CaptureHandle {
    /// Runs `question` on the capture thread, between two batches of ring records. It should be short.
    ///
    /// # Errors
    /// [`AskError`]; the question may be answered to no one later.
    pub async fn ask<T, F>(&self, question: F) -> Result<T, AskError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Capture) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |capture| {
            // Who asked may have given up.
            if !reply.is_closed() {
                let _ = reply.send(question(capture));
            }
            ControlFlow::Continue(())
        });
        self.questions
            .try_send(question)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => AskError::Busy,
                mpsc::error::TrySendError::Closed(_) => AskError::Over,
            })?;
        answered(answer, ANSWER).await
    }

    /// Asks the capture to end; it may have ended already.
    pub(crate) async fn stop(&self) {
        let _ = self
            .questions
            .send(Box::new(|_| ControlFlow::Break(())))
            .await;
    }
}
