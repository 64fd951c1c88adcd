//! Changes that people ask for: done on the command or the response thread, and in the audit trail on the disk before they
//! are answered.

use std::time::Duration;

use axum::{Json, extract::rejection::JsonRejection, http::StatusCode, response::Response};
use sensor_evidence::audit::{NotWritten, Ticket};
use sensor_facts::rule::Actor;
use sensor_response::{Keeper, Undo};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    answer::{answer, failure},
    peer::Peer,
};
use crate::live::{
    AskError,
    responder::{Responder, ResponderHandle},
};

/// How long the disk may take for the trail.
pub(super) const DISK: Duration = Duration::from_secs(5);
/// How long it may take for what lifts all rules: the rules are lifted before, and who asks for that has no time.
pub(super) const DISK_RELEASE: Duration = Duration::from_millis(700);

/// The body of a request, or why it can't be read.
pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

/// Who asks, and for what; or the answer to that.
fn asked<B>(peer: Peer, body: Body<B>) -> Result<(Actor, B), Box<Response>> {
    let body = match body {
        Ok(Json(body)) => body,
        Err(rejection) => {
            return Err(Box::new(failure(
                StatusCode::BAD_REQUEST,
                &rejection.body_text(),
            )));
        }
    };
    let actor = peer.actor().ok_or_else(|| {
        Box::new(failure(
            StatusCode::FORBIDDEN,
            "the socket does not say who you are, and the trail has to",
        ))
    })?;
    Ok((actor, body))
}

/// What was done, and how its answer depends on the disk.
struct Done<T> {
    result: Result<T, String>,
    ticket: Ticket,
    undo: Option<Undo>,
}

/// An answer to a change: it says where the trail does not have it yet.
pub(super) trait Told: Serialize + Send + 'static {
    /// Adds a warning, if the answer has a place for one.
    ///
    /// # Errors
    /// The answer has none: then it is an error.
    fn warn(self, _warning: &str) -> Result<Self, ()>
    where
        Self: Sized,
    {
        Err(())
    }
}

/// Does on the command thread what a person asks for.
pub(super) async fn command<B, T, F>(
    response: &ResponderHandle,
    peer: Peer,
    body: Body<B>,
    disk: Duration,
    does: F,
) -> Response
where
    B: DeserializeOwned + Send + 'static,
    T: Told,
    F: FnOnce(&mut Keeper, &Actor, B) -> Result<T, String> + Send + 'static,
{
    let (actor, body) = match asked(peer, body) {
        Ok(asked) => asked,
        Err(answer) => return *answer,
    };
    let done = response
        .command(move |keeper| {
            keeper.take_undo();
            let result = does(keeper, &actor, body);
            Done {
                result,
                ticket: keeper.trail().ticket(),
                undo: keeper.take_undo(),
            }
        })
        .await;
    answered(response, done, disk).await
}

/// Does on the response thread what a person asks for.
pub(super) async fn act<B, T, F>(
    response: &ResponderHandle,
    peer: Peer,
    body: Body<B>,
    does: F,
) -> Response
where
    B: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
    F: FnOnce(&mut Responder, &Actor, B) -> Result<T, String> + Send + 'static,
{
    let (actor, body) = match asked(peer, body) {
        Ok(asked) => asked,
        Err(answer) => return *answer,
    };
    let done = response
        .ask(move |responder| {
            let has_room = responder.keeper().trail().has_room();
            let result = if has_room {
                does(responder, &actor, body).map(Plain)
            } else {
                Err(NO_ROOM.to_owned())
            };
            Done {
                result,
                ticket: responder.keeper().trail().ticket(),
                undo: None,
            }
        })
        .await;
    answered(response, done, DISK).await
}

/// Why nothing is done.
pub(super) const NO_ROOM: &str = "too many entries of the audit trail wait for the disk, so nothing was changed: what can't be written down is not done; see `wardtap status`";

/// An answer that has no place for a warning.
#[derive(Serialize)]
#[serde(transparent)]
struct Plain<T>(T);

impl<T: Serialize + Send + 'static> Told for Plain<T> {}

/// Answers when the disk has the trail. What it has not got is never answered as if it had: a change that blocks is put
/// back if the disk does not answer, and in force with a warning if the disk refuses, since the entry then waits for room
/// on it; what lifts a block stays, and the answer says so.
async fn answered<T: Told>(
    response: &ResponderHandle,
    done: Result<Done<T>, AskError>,
    disk: Duration,
) -> Response {
    let Done {
        result,
        ticket,
        undo,
    } = match done {
        Ok(done) => done,
        Err(error) => return answer(Err::<(), _>(error)),
    };
    let written = tokio::task::spawn_blocking(move || ticket.wait(disk)).await;
    let written = written.unwrap_or(Err(NotWritten::Late));
    match (result, written) {
        (Ok(value), Ok(())) => answer(Ok::<_, AskError>(value)),
        (Err(refused), _) => failure(StatusCode::CONFLICT, &refused),
        (Ok(value), Err(why @ NotWritten::Failing(_))) => {
            let warning = format!(
                "it is done, and not yet in the audit trail: {why}; the entry waits, and a restart before it is written undoes the change"
            );
            match value.warn(&warning) {
                Ok(value) => answer(Ok::<_, AskError>(value)),
                Err(()) => failure(StatusCode::GATEWAY_TIMEOUT, &warning),
            }
        }
        (Ok(_), Err(NotWritten::Late)) => late(response, undo).await,
    }
}

/// The disk did not answer.
async fn late(response: &ResponderHandle, undo: Option<Undo>) -> Response {
    let Some(undo) = undo else {
        return failure(
            StatusCode::GATEWAY_TIMEOUT,
            "it was done, and the disk did not take the audit trail in time, so it is not written down yet: see `wardtap status`",
        );
    };
    let undone = response
        .command(move |keeper| keeper.put_back(undo).map_err(|denied| denied.to_string()))
        .await;
    let said = match undone {
        Ok(Ok(())) => "nothing was changed: the disk did not take the audit trail in time, so the change was put back; see `wardtap status`".to_owned(),
        Ok(Err(denied)) => format!("the change is in force, is not in the audit trail, and can't be put back: {denied}"),
        Err(error) => format!("the change is in force, is not in the audit trail, and can't be put back: {error}"),
    };
    failure(StatusCode::GATEWAY_TIMEOUT, &said)
}
