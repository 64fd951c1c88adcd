//! The socket's answers about alerts and baselines.

use std::net::IpAddr;

use axum::{
    Extension, Router,
    extract::{Path, Query as Params, connect_info::ConnectInfo},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use sensor_analysis::{alert::Case, baseline::Progress};
use sensor_facts::{
    action::Action,
    alert::{Alert, Label},
};

use super::{
    answer::{answer, failure},
    api::{ALERTS, BASELINES, CASES, NewLabel, Page, Query, Reason},
    change::{Body, act},
    peer::Peer,
};
use crate::live::responder::ResponderHandle;

pub(super) fn router(response: ResponderHandle) -> Router {
    Router::new()
        .route(ALERTS, get(list))
        .route(&format!("{ALERTS}/{{id}}"), get(show))
        .route(&format!("{ALERTS}/{{id}}/label"), post(label))
        .route(CASES, get(cases))
        .route(&format!("{BASELINES}/{{address}}"), get(baseline))
        .route(&format!("{BASELINES}/{{address}}/reset"), post(reset))
        .layer(Extension(response))
}

async fn list(
    Extension(response): Extension<ResponderHandle>,
    Params(query): Params<Query>,
) -> Response {
    let page = response.ask(move |responder| {
        let alerts: Vec<Alert> = responder.analysis().alerts().all().cloned().collect();
        Page::of(alerts, &query)
    });
    answer(page.await)
}

async fn cases(
    Extension(response): Extension<ResponderHandle>,
    Params(query): Params<Query>,
) -> Response {
    let cases = response.ask(move |responder| {
        let cases: Vec<Case> = responder.analysis().cases().all().cloned().collect();
        Page::of(cases, &query)
    });
    answer(cases.await)
}

async fn show(Extension(response): Extension<ResponderHandle>, Path(id): Path<u64>) -> Response {
    let alert = response.ask(move |responder| responder.analysis().alerts().get(id).cloned());
    match alert.await {
        Ok(None) => failure(StatusCode::NOT_FOUND, &format!("there is no alert {id}")),
        other => answer(other),
    }
}

async fn label(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<u64>,
    body: Body<NewLabel>,
) -> Response {
    act(
        &response,
        peer,
        body,
        move |responder, actor, new: NewLabel| {
            let NewLabel { verdict, reason } = new;
            let label = Label {
                verdict,
                by: actor.clone(),
                time: responder.keeper().time(),
                reason: reason.clone(),
            };
            let labelled = responder.analysis_mut().label(id, &label);
            let alert = labelled.map_err(|error| error.to_string())?;
            let action = Action::Labelled {
                alert: id,
                verdict: verdict.label().to_owned(),
                reason,
            };
            responder.keeper_mut().record(actor, action);
            Ok(alert)
        },
    )
    .await
}

async fn baseline(
    Extension(response): Extension<ResponderHandle>,
    Path(address): Path<IpAddr>,
) -> Response {
    let progress = response.ask(move |responder| {
        let now = responder.keeper().time();
        let baselines = responder.analysis().baselines();
        baselines.progress(address, now)
    });
    match progress.await {
        Ok(None) => failure(StatusCode::NOT_FOUND, &unknown(address)),
        other => answer(other),
    }
}

async fn reset(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(address): Path<IpAddr>,
    body: Body<Reason>,
) -> Response {
    act(
        &response,
        peer,
        body,
        move |responder, actor, why: Reason| {
            let Reason { reason } = why;
            if reason.trim().is_empty() {
                return Err("say why: the reason is part of the evidence".to_owned());
            }
            if !responder.analysis_mut().reset(address) {
                return Err(unknown(address));
            }
            let action = Action::BaselineReset {
                device: address,
                reason,
            };
            responder.keeper_mut().record(actor, action);
            Ok(None::<Progress>)
        },
    )
    .await
}

fn unknown(address: IpAddr) -> String {
    format!("nothing is known of {address}; `wardtap devices list` shows who was seen")
}
