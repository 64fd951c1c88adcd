//! What the socket's answers are made of: a value, or a failure in words.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::api::Failure;
use crate::live::AskError;

/// Answers with a value, or says why the daemon's threads gave none.
pub(super) fn answer<T: Serialize>(result: Result<T, AskError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => failure(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Answers that a request failed.
pub(super) fn failure(status: StatusCode, error: &str) -> Response {
    let error = error.to_owned();
    (status, Json(Failure { error })).into_response()
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    Ask(AskError),
    Said(StatusCode, String),
}

impl Failed {
    /// What was asked for can't be done as things are.
    pub(super) fn refused(error: &impl ToString) -> Self {
        Self::Said(StatusCode::CONFLICT, error.to_string())
    }

    /// Something of the daemon's own failed.
    pub(super) fn broken(error: &impl ToString) -> Self {
        Self::Said(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    /// The answer to a question about something that does not exist.
    pub(super) fn missing(what: &impl ToString) -> Self {
        Self::Said(StatusCode::NOT_FOUND, what.to_string())
    }
}

impl From<AskError> for Failed {
    fn from(error: AskError) -> Self {
        Self::Ask(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Self::Ask(error) => answer::<()>(Err(error)),
            Self::Said(status, error) => failure(status, &error),
        }
    }
}
