//! Questions to the daemon's threads.

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Too many questions wait already.
    #[error("the sensor is busy: too many requests at once; try again")]
    Busy,
    /// No answer in time.
    #[error("the sensor gave no answer within 2 seconds; try again")]
    Late,
    /// The capture is over.
    #[error("the sensor is shutting down")]
    Over,
}
