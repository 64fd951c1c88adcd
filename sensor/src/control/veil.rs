//! Pseudonyms in what the socket answers: `pseudonymise=true` in any question has the whole answer veiled, errors too.
//! What can't be veiled is not answered.

use std::path::Path;

use axum::{
    body::{Body, to_bytes},
    extract::{Query, Request, State},
    http::{Method, StatusCode, header::CONTENT_LENGTH},
    middleware::Next,
    response::Response,
};
use sensor_evidence::pseudonym::{Named, Names, Pseudonyms, SiteKey, Veil};
use sensor_facts::rule::Actor;
use serde::Deserialize;
use serde_json::Value;

use super::{answer::failure, evidence::Given};
use crate::live::{capture::CaptureHandle, responder::ResponderHandle};

/// What of a question matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct VeilQuery {
    pseudonymise: bool,
}

/// Who knows the names.
pub(super) type Knows = (CaptureHandle, ResponderHandle);

/// Marks an answer that its route has veiled itself, with the [`Veil`] that the layer gives it: what is no JSON of
/// fields, or is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Veiled;

/// The layer around all routes.
pub(super) async fn layer(
    State(knows): State<Knows>,
    mut request: Request,
    next: Next,
) -> Response {
    match Query::<VeilQuery>::try_from_uri(request.uri()) {
        Ok(Query(asked)) if asked.pseudonymise => {}
        Ok(_) => return next.run(request).await,
        // It may have been asked for.
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.body_text()),
    }
    // Before anything is done: without a key there is no answer.
    let veil = match of(&knows).await {
        Ok(veil) => veil,
        Err(why) => return failure(StatusCode::INTERNAL_SERVER_ERROR, &why),
    };
    request.extensions_mut().insert(veil.clone());
    // What changes something is in the trail by itself.
    let what = (request.method() == Method::GET).then(|| request.uri().path().to_owned());
    let answer = next.run(request).await;
    if answer.extensions().get::<Veiled>().is_some() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let veiled = match to_bytes(body, usize::MAX).await {
        Ok(clear) => tokio::task::spawn_blocking(move || veiled(&veil, &clear)).await,
        Err(error) => return failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    };
    match veiled {
        Ok(Some((veiled, items))) => {
            parts.headers.remove(CONTENT_LENGTH);
            if let Some(path) = what.filter(|_| parts.status.is_success()) {
                parts.extensions.get_or_insert_with(|| Given {
                    what: format!("the answer of {path}"),
                    items,
                    pseudonymised: true,
                });
            }
            Response::from_parts(parts, Body::from(veiled))
        }
        _ => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "this answer can't be put under pseudonyms",
        ),
    }
}

/// The answer veiled, and how many items it has.
fn veiled(veil: &Veil, clear: &[u8]) -> Option<(Vec<u8>, u64)> {
    let mut value: Value = serde_json::from_slice(clear).ok()?;
    veil.value(&mut value);
    let list = value.as_array().or_else(|| value.get("items")?.as_array());
    let items = list.map_or(1, |items| items.len() as u64);
    Some((serde_json::to_vec(&value).ok()?, items))
}

/// The veil of the site, with the names that are known now.
async fn of((capture, response): &Knows) -> Result<Veil, String> {
    let hosts = capture.ask(|capture| capture.pipeline().hosts());
    let hosts = hosts.await.map_err(|error| error.to_string())?;
    let said = response.command(|keeper| {
        let book = keeper.book();
        let of_rules = book
            .rules()
            .map(|rule| (rule.by.clone(), rule.reason.clone()));
        let of_list = book
            .protected()
            .map(|one| (one.by.clone(), one.reason.clone()));
        let said: Vec<_> = of_rules.chain(of_list).collect();
        let trail = keeper.trail().path();
        (said, trail.parent().unwrap_or(Path::new(".")).to_owned())
    });
    let (said, folder) = said.await.map_err(|error| error.to_string())?;
    let made = tokio::task::spawn_blocking(move || {
        let key = SiteKey::open(&folder).map_err(|error| error.to_string())?;
        let mut names = Names::of(&hosts);
        for (by, reason) in said {
            match by {
                Actor::Person { name, .. } => {
                    names.add(Named::Text, &reason);
                    if let Some(name) = name {
                        names.add(Named::Person, &name);
                    }
                }
                Actor::Policy { group } => names.add(Named::Text, &group),
                Actor::Signal | Actor::Daemon => {}
            }
        }
        Ok(Veil::new(Pseudonyms::new(&key), names))
    });
    made.await.map_err(|error| error.to_string())?
}
