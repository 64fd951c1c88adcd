//! The socket's answers about rules and the never-block list: what is there, and changes.
//!
//! A change is in force in the kernel when its answer goes out, and the trail names the person by the
//! socket's peer credentials.

use std::time::Duration;

use axum::{
    Extension, Json, Router,
    extract::{Path, Query as Params, connect_info::ConnectInfo, rejection::JsonRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
    serve::IncomingStream,
};
use nix::unistd::{Uid, User};
use serde::de::DeserializeOwned;
use tokio::net::UnixListener;

use super::{
    api::{
        Added, Hits, NewProtection, NewRule, PROTECTED, Page, ProtectedEntry, Protecting, Query,
        RULES, Reason, RuleView, Unprotecting,
    },
    server::{answer, failure},
};
use crate::live::{
    AskError,
    responder::{Responder, ResponderHandle},
};
use sensor_facts::{
    rule::{Actor, RuleId, State},
    target::{Target, Transport},
};
use sensor_kernel::Attached;
use sensor_response::{Denied, RuleReport, Wish};

/// How long the disk may take for the trail.
const DISK: Duration = Duration::from_secs(5);

/// Who is at the other end of the socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(Option<u32>);

impl axum::extract::connect_info::Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred();
        Self(credentials.ok().map(|credentials| credentials.uid()))
    }
}

impl Peer {
    /// The person, by name where the user has one.
    pub(super) fn actor(self) -> Option<Actor> {
        let uid = self.0?;
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Some(Actor::Person {
            uid,
            name: user.map(|user| user.name),
        })
    }
}

/// The part of the interfaces that matters here.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Names of the interfaces at which rules drop.
    inline: Vec<String>,
    /// Names of those at which they can't.
    mirror: Vec<String>,
    /// The interface that resets leave by.
    response: Option<String>,
}

impl Roles {
    /// Of the interfaces.
    pub(crate) fn of<'a>(
        interfaces: impl Iterator<Item = &'a Attached>,
        response: Option<&str>,
    ) -> Self {
        let (inline, mirror): (Vec<_>, Vec<_>) = interfaces.partition(|one| one.inline);
        let names = |some: Vec<&Attached>| some.into_iter().map(|one| one.name.clone()).collect();
        Self {
            inline: names(inline),
            mirror: names(mirror),
            response: response.map(str::to_owned),
        }
    }

    /// What has to be said wherever someone could think that a rule drops; of a rule with this target, or
    /// of any.
    pub(crate) fn warning(&self, target: Option<&Target>) -> Option<String> {
        if self.mirror.is_empty() {
            return None;
        }
        let mirrors = self.mirror.join(", ");
        let connection = matches!(
            target,
            Some(Target::Flow {
                transport: Transport::Tcp,
                ..
            })
        );
        if let Some(response) = self.response.as_ref().filter(|_| connection) {
            return Some(format!(
                "what {mirrors} shows of the connection is ended by TCP resets through {response}, best effort; nothing is dropped there"
            ));
        }
        Some(if self.inline.is_empty() {
            format!(
                "nothing is dropped: {mirrors} only receives copies (role mirror); a rule contains something only on an interface in the path (role inline)"
            )
        } else {
            format!(
                "rules drop on {} only: {mirrors} receives copies",
                self.inline.join(", ")
            )
        })
    }
}

pub(super) fn router(response: ResponderHandle, roles: Roles) -> Router {
    Router::new()
        .route(RULES, get(list).post(add))
        .route(&format!("{RULES}/release-all"), post(release_all))
        .route(&format!("{RULES}/{{id}}/{{verb}}"), post(change))
        .route(PROTECTED, get(protected).post(protect))
        .route(&format!("{PROTECTED}/remove"), post(unprotect))
        .layer(Extension(roles))
        .layer(Extension(response))
}

pub(super) type Body<T> = Result<Json<T>, JsonRejection>;

async fn list(
    Extension(response): Extension<ResponderHandle>,
    Params(query): Params<Query>,
) -> Response {
    let page = response.ask(move |responder| {
        let reports = responder.keeper().reports();
        Page::of(
            reports.iter().map(|one| view(responder, one)).collect(),
            &query,
        )
    });
    answer(page.await)
}

fn view(responder: &Responder, report: &RuleReport) -> RuleView {
    let RuleReport { rule, hits, effect } = report;
    RuleView {
        rule: rule.clone(),
        hits: Hits {
            packets: hits.packets,
            bytes: hits.bytes,
            would_packets: hits.would_packets,
            would_bytes: hits.would_bytes,
            last: (hits.last != 0).then(|| responder.keeper().wall(hits.last)),
        },
        effect: effect.clone(),
    }
}

async fn add(
    Extension(response): Extension<ResponderHandle>,
    Extension(roles): Extension<Roles>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<NewRule>,
) -> Response {
    act(&response, peer, body, move |responder, actor, new| {
        let target = new.target;
        let what = format!("a rule for {target}");
        let wish = Wish {
            target,
            scope: new.scope,
            state: if new.dry_run {
                State::DryRun
            } else {
                State::Enabled
            },
            sticky: new.sticky,
            ttl: Duration::from_secs(new.ttl),
            reason: new.reason,
        };
        let result = responder.keeper_mut().add(actor, wish);
        noted(responder, actor, what, result).map(|(id, extended)| Added {
            rule: shown(responder, id),
            extended,
            warning: roles.warning(Some(&target)),
        })
    })
    .await
}

/// A rule that was there a moment ago.
fn shown(responder: &Responder, id: RuleId) -> Option<RuleView> {
    let report = responder.keeper().report(id)?;
    Some(view(responder, &report))
}

async fn change(
    Extension(response): Extension<ResponderHandle>,
    Extension(roles): Extension<Roles>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((id, verb)): Path<(RuleId, String)>,
    body: Body<Reason>,
) -> Response {
    if !["enable", "disable", "approve", "remove"].contains(&verb.as_str()) {
        return failure(StatusCode::NOT_FOUND, "there is no such thing to ask for");
    }
    act(
        &response,
        peer,
        body,
        move |responder, actor, Reason { reason }| {
            let what = format!("{verb} rule {id}");
            let keeper = responder.keeper_mut();
            let result = match verb.as_str() {
                "enable" => keeper.enable(actor, id, reason),
                "disable" => keeper.disable(actor, id, reason),
                "approve" => keeper.approve(actor, id, reason),
                _ => keeper.remove(actor, id, reason),
            };
            let drops = verb == "enable" || verb == "approve";
            noted(responder, actor, what, result).map(|()| Added {
                rule: shown(responder, id),
                extended: false,
                warning: drops.then(|| roles.warning(None)).flatten(),
            })
        },
    )
    .await
}

async fn release_all(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<Reason>,
) -> Response {
    act(
        &response,
        peer,
        body,
        |responder, actor, Reason { reason }| {
            let result = responder.keeper_mut().release_all(actor, reason);
            noted(responder, actor, "release all rules".to_owned(), result)
        },
    )
    .await
}

async fn protected(
    Extension(response): Extension<ResponderHandle>,
    Params(query): Params<Query>,
) -> Response {
    let page = response.ask(move |responder| {
        let book = responder.keeper().book();
        let entry = |entry: &sensor_response::Protection| ProtectedEntry {
            what: entry.what,
            reason: entry.reason.clone(),
            by: entry.by.clone(),
            since: entry.since,
            configured: book.is_configured(&entry.what),
        };
        Page::of(book.protected().map(entry).collect(), &query)
    });
    answer(page.await)
}

async fn protect(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<NewProtection>,
) -> Response {
    act(&response, peer, body, |responder, actor, new| {
        let what = format!("protect {}", new.what);
        let result = responder.keeper_mut().protect(actor, new.what, new.reason);
        noted(responder, actor, what, result).map(|ended| Protecting { ended })
    })
    .await
}

async fn unprotect(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<Unprotecting>,
) -> Response {
    act(&response, peer, body, |responder, actor, old| {
        let what = format!("protect {} no more", old.what);
        let keeper = responder.keeper_mut();
        let result = keeper.unprotect(actor, old.what, old.reason);
        noted(responder, actor, what, result)
    })
    .await
}

/// What a person asked for in vain is written down too.
fn noted<T>(
    responder: &mut Responder,
    actor: &Actor,
    what: String,
    result: Result<T, Denied>,
) -> Result<T, String> {
    result.map_err(|denied| {
        let reason = denied.to_string();
        responder.keeper_mut().refused(actor, what, reason.clone());
        reason
    })
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
