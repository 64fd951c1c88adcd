//! The socket's answers about alerts and baselines.

use std::net::IpAddr;

use axum::{
    Extension, Router,
    extract::Path,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use sensor_analysis::{alert::Case, baseline::Progress};
use sensor_facts::{
    action::Action,
    alert::{Alert, Label},
    reason,
    rule::Actor,
};

use super::{
    answer::{Failed, answer, failure},
    api::{ALERTS, BASELINES, CASES, NewLabel, Reason},
    change::Order,
    pages::Wanted,
};
use crate::live::responder::{Responder, ResponderHandle};

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
    wanted: Wanted,
) -> Result<Response, Failed> {
    let list = |responder: &Responder| -> Vec<Alert> {
        responder.analysis().alerts().all().cloned().collect()
    };
    wanted.of_response(&response, list).await
}

async fn cases(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let list = |responder: &Responder| -> Vec<Case> {
        responder.analysis().cases().all().cloned().collect()
    };
    wanted.of_response(&response, list).await
}

async fn show(Extension(response): Extension<ResponderHandle>, Path(id): Path<u64>) -> Response {
    let alert = response.ask(move |responder| responder.analysis().alerts().get(id).cloned());
    match alert.await {
        Ok(None) => failure(StatusCode::NOT_FOUND, &format!("there is no alert {id}")),
        other => answer(other),
    }
}

async fn label(Path(id): Path<u64>, order: Order<NewLabel>) -> Result<Response, Failed> {
    let labels = move |responder: &mut Responder, actor: &Actor, new: NewLabel| {
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
    };
    order.carry_out(labels).await
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

async fn reset(Path(address): Path<IpAddr>, order: Order<Reason>) -> Result<Response, Failed> {
    let resets = move |responder: &mut Responder, actor: &Actor, Reason { reason }| {
        reason::check(&reason)?;
        if !responder.analysis_mut().reset(address) {
            return Err(unknown(address));
        }
        let action = Action::BaselineReset {
            device: address,
            reason,
        };
        responder.keeper_mut().record(actor, action);
        Ok(None::<Progress>)
    };
    order.carry_out(resets).await
}

fn unknown(address: IpAddr) -> String {
    format!("nothing is known of {address}; `wardtap devices list` shows who was seen")
}
