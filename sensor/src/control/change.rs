//! Changes that people ask for: done on the command or the response thread, and in the audit trail on the disk before they
//! are answered.

use std::time::Duration;

use axum::{
    Json,
    extract::{ConnectInfo, FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sensor_evidence::audit::{NotWritten, Ticket};
use sensor_facts::rule::Actor;
use sensor_response::{Keeper, Undo};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    answer::Failed,
    evidence::{blocking, person},
    peer::Peer,
};
use crate::live::responder::{Responder, ResponderHandle};

/// How long the disk may take for the trail.
pub(super) const DISK: Duration = Duration::from_secs(5);
/// How long it may take for what lifts all rules: the rules are lifted before, and who asks for that has no time.
pub(super) const DISK_RELEASE: Duration = Duration::from_millis(700);

/// A change that a person asks for: the body of the request, and who it is by the socket's credentials.
pub(super) struct Order<B> {
    pub(super) response: ResponderHandle,
    pub(super) actor: Actor,
    pub(super) body: B,
}

impl<S: Send + Sync, B: DeserializeOwned> FromRequest<S> for Order<B> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let extensions = request.extensions();
        let response = extensions.get::<ResponderHandle>().cloned();
        let peer = extensions.get::<ConnectInfo<Peer>>().copied();
        let (Some(response), Some(ConnectInfo(peer))) = (response, peer) else {
            return Err(Failed::broken(
                &"the route lacks the response thread or the peer",
            ));
        };
        let Json(body) = Json::from_request(request, state).await.map_err(|error| {
            let status = match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            Failed::Said(status, error.body_text())
        })?;
        Ok(Self {
            response,
            actor: person(peer)?,
            body,
        })
    }
}

impl<B> Order<B> {
    /// The same person's order with another body.
    pub(super) fn with<C>(self, body: C) -> Order<C> {
        Order {
            response: self.response,
            actor: self.actor,
            body,
        }
    }
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

impl<B: Send + 'static> Order<B> {
    /// Does on the command thread what the person asks for; the disk may take so long.
    pub(super) async fn command<T, F>(self, disk: Duration, does: F) -> Result<Response, Failed>
    where
        T: Told,
        F: FnOnce(&mut Keeper, &Actor, B) -> Result<T, String> + Send + 'static,
    {
        let response = self.response;
        let done = response
            .command(move |keeper| {
                keeper.take_undo();
                let result = does(keeper, &self.actor, self.body);
                Done {
                    result,
                    ticket: keeper.trail().ticket(),
                    undo: keeper.take_undo(),
                }
            })
            .await?;
        answered(&response, done, disk).await
    }

    /// Does on the response thread what the person asks for.
    pub(super) async fn carry_out<T, F>(self, does: F) -> Result<Response, Failed>
    where
        T: Serialize + Send + 'static,
        F: FnOnce(&mut Responder, &Actor, B) -> Result<T, String> + Send + 'static,
    {
        let response = self.response;
        let done = response
            .ask(move |responder| {
                let has_room = responder.keeper().trail().has_room();
                let result = if has_room {
                    does(responder, &self.actor, self.body).map(Plain)
                } else {
                    Err(NO_ROOM.to_owned())
                };
                Done {
                    result,
                    ticket: responder.keeper().trail().ticket(),
                    undo: None,
                }
            })
            .await?;
        answered(&response, done, DISK).await
    }
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
    done: Done<T>,
    disk: Duration,
) -> Result<Response, Failed> {
    let Done {
        result,
        ticket,
        undo,
    } = done;
    // A refusal is in the trail too.
    let written = blocking(move || ticket.wait(disk)).await;
    let written = written.unwrap_or(Err(NotWritten::Late));
    let value = result.map_err(|refused| Failed::refused(&refused))?;
    let value = match written {
        Ok(()) => value,
        Err(why @ NotWritten::Failing(_)) => {
            let warning = format!(
                "it is done, and not yet in the audit trail: {why}; the entry waits, and a restart before it is written undoes the change"
            );
            value
                .warn(&warning)
                .map_err(|()| Failed::Said(StatusCode::GATEWAY_TIMEOUT, warning))?
        }
        Err(NotWritten::Late) => return Err(late(response, undo).await),
    };
    Ok(Json(value).into_response())
}

/// The disk did not answer.
async fn late(response: &ResponderHandle, undo: Option<Undo>) -> Failed {
    let Some(undo) = undo else {
        return Failed::Said(
            StatusCode::GATEWAY_TIMEOUT,
            "it was done, and the disk did not take the audit trail in time, so it is not written down yet: see `wardtap status`".to_owned(),
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
    Failed::Said(StatusCode::GATEWAY_TIMEOUT, said)
}
