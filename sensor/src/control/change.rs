//! Changes that people ask for: done on the response thread, and in the audit trail on the disk before they are
//! answered.

use std::time::Duration;

use axum::{Json, extract::rejection::JsonRejection, http::StatusCode, response::Response};
use sensor_facts::rule::Actor;
use serde::de::DeserializeOwned;

use super::{
    answer::{answer, failure},
    peer::Peer,
};
use crate::live::{
    AskError,
    responder::{Responder, ResponderHandle},
};

/// How long the disk may take for the trail.
const DISK: Duration = Duration::from_secs(5);

/// The body of a request, or why it can't be read.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

/// Does on the response thread what a person asks for.
pub(super) async fn act<B, T, F>(
    response: &ResponderHandle,
    peer: Peer,
    body: Body<B>,
    does: F,
) -> Response
where
    B: DeserializeOwned + Send + 'static,
    T: serde::Serialize + Send + 'static,
    F: FnOnce(&mut Responder, &Actor, B) -> Result<T, String> + Send + 'static,
{
    let body = match body {
        Ok(Json(body)) => body,
        Err(rejection) => return failure(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    let Some(actor) = peer.actor() else {
        return failure(
            StatusCode::FORBIDDEN,
            "the socket does not say who you are, and the trail has to",
        );
    };
    let done = response
        .ask(move |responder| {
            let done = does(responder, &actor, body);
            (done, responder.keeper().trail().ticket())
        })
        .await;
    let done = match done {
        Ok((done, ticket)) => {
            // On the disk before it is answered; where the disk fails, that is in the status.
            let written = tokio::task::spawn_blocking(move || ticket.wait(DISK)).await;
            if !written.unwrap_or(false) {
                return failure(
                    StatusCode::GATEWAY_TIMEOUT,
                    "it was done, and the disk did not take the audit trail in time: see `wardtap status`",
                );
            }
            Ok(done)
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(Ok(value)) => answer(Ok::<_, AskError>(value)),
        Ok(Err(refused)) => failure(StatusCode::CONFLICT, &refused),
        Err(error) => answer(Err::<(), _>(error)),
    }
}
