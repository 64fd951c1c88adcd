//! Questions to the daemon's threads.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Too many questions wait already.
    #[error("the sensor is busy: too many requests at once; try again")]
    Busy,
    /// No answer in this time.
    #[error("the sensor gave no answer within {} seconds; try again", .0.as_secs())]
    Late(Duration),
    /// The thread has ended.
    #[error("the sensor is shutting down")]
    Over,
}

/// Waits for a thread's answer, for as long as `within`.
pub(super) async fn answered<T>(
    answer: oneshot::Receiver<T>,
    within: Duration,
) -> Result<T, AskError> {
    match timeout(within, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(AskError::Over),
        Err(_) => Err(AskError::Late(within)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_in_vain_is_told_for_how_long() {
        let (_reply, answer) = oneshot::channel::<()>();
        let error = answered(answer, Duration::from_millis(1)).await;
        assert_eq!(error, Err(AskError::Late(Duration::from_millis(1))));
        let error = AskError::Late(Duration::from_secs(8)).to_string();
        assert!(error.contains("within 8 seconds"), "{error}");
    }
}
