//! What all answers that are evidence share: failures are explained, and the trail records an answer before it is sent.

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use sensor_facts::{action::Action, rule::Actor};

use super::{answer::Failed, change::DISK, peer::Peer};
use crate::live::responder::ResponderHandle;

/// Who asks; the trail has to name them.
pub(super) fn person(peer: Peer) -> Result<Actor, Failed> {
    peer.actor().ok_or_else(|| {
        let error = "the socket does not say who you are, and the trail has to";
        Failed::Said(StatusCode::FORBIDDEN, error.to_owned())
    })
}

/// Has it in the trail, on the disk.
pub(super) async fn record(
    response: &ResponderHandle,
    actor: Actor,
    action: Action,
) -> Result<(), Failed> {
    let recorded = response.command(move |keeper| {
        let taken = keeper.record(&actor, action);
        taken.then(|| keeper.trail().ticket())
    });
    let Some(ticket) = recorded.await? else {
        let error = "too many entries of the audit trail wait for the disk, and what is not written down is not given out: see `wardtap status`";
        return Err(Failed::Said(
            StatusCode::SERVICE_UNAVAILABLE,
            error.to_owned(),
        ));
    };
    blocking(move || ticket.wait(DISK)).await?.map_err(|why| {
        let error =
            format!("{why}, and what is not written down is not answered: see `wardtap status`");
        Failed::Said(StatusCode::GATEWAY_TIMEOUT, error)
    })
}

/// Does what takes its time on a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failed> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failed::broken(&error))
}

/// Marks, as an extension, an answer that is made to leave the site: an export, a report, whatever was asked for under pseudonyms.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// What, in words.
    pub(super) what: String,
    /// Rows, entries, things of a list.
    pub(super) items: u64,
    /// Addresses and names were replaced.
    pub(super) pseudonymised: bool,
}

/// The layer around all routes that has what is [`Given`] in the trail before it goes out.
pub(super) async fn layer(
    State(response): State<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = next.run(request).await;
    let Some(given) = answer.extensions_mut().remove::<Given>() else {
        return answer;
    };
    let action = Action::Exported {
        what: given.what,
        items: given.items,
        pseudonymised: given.pseudonymised,
    };
    let recorded = match person(peer) {
        Ok(by) => record(&response, by, action).await,
        Err(error) => Err(error),
    };
    match recorded {
        Ok(()) => answer,
        Err(error) => error.into_response(),
    }
}
