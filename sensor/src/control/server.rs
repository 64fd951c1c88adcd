//! The socket's answers about what was seen; [`super::rules`] has those that change something. The capture
//! is asked for copies, and text is made of them here.

use std::sync::Arc;

use axum::{
    Extension, Router, extract::State, http::StatusCode, middleware::from_fn_with_state,
    response::Response, routing::get,
};
use tokio::{net::UnixListener, sync::mpsc};

use super::{
    alerts,
    answer::{Failed, answer, failure},
    api::{
        AE_TITLES, DEVICES, Devices, FLOWS, HL7_SENDERS, LIMIT_MAX, Page, Query, SESSIONS, STATUS,
    },
    compliance, devices, evidence, exceptions, export, exposure, incidents, model,
    pages::{Directory, Wanted},
    peer::Peer,
    reload::{self, ReloadOrder},
    report,
    roles::Roles,
    rules, status, veil,
};
use crate::{
    list::{FlowRow, SessionRow, ae_titles, choose, hl7_senders, internet_last},
    live::{
        capture::{Capture, CaptureHandle},
        responder::ResponderHandle,
    },
};
use sensor_analysis::model::Models;
use sensor_common::layer7::Protocol;
use sensor_sessions::pipeline::FlowSnapshot;

/// Answers at `listener` until the daemon ends.
pub async fn serve(
    listener: UnixListener,
    capture: CaptureHandle,
    response: ResponderHandle,
    models: Arc<Models>,
    roles: Roles,
    reloads: mpsc::Sender<ReloadOrder>,
) {
    let ranking = exposure::Ranking::new(capture.clone(), response.clone());
    let router = Router::new()
        .route(STATUS, get(status))
        .route(FLOWS, get(flows))
        .route(SESSIONS, get(sessions))
        .route(DEVICES, get(device_page))
        .route(HL7_SENDERS, get(sender_page))
        .route(AE_TITLES, get(title_page))
        .with_state(capture.clone())
        .merge(devices::router(capture.clone(), response.clone()))
        .merge(report::router(capture.clone(), response.clone()))
        .merge(alerts::router(response.clone()))
        .merge(exceptions::router(response.clone()))
        .merge(incidents::router(response.clone(), roles.clone()))
        .merge(export::router(response.clone()))
        .merge(compliance::router(ranking.clone()))
        .merge(exposure::router(ranking))
        .merge(model::router(response.clone(), models))
        .merge(reload::router(response.clone(), reloads))
        .merge(rules::router(response.clone(), roles))
        .fallback(async || failure(StatusCode::NOT_FOUND, "there is no such thing to ask for"))
        .layer(Extension(Directory {
            capture: capture.clone(),
            response: response.clone(),
        }))
        // Around all: no route can forget it.
        .layer(from_fn_with_state((capture, response.clone()), veil::layer))
        .layer(from_fn_with_state(response, evidence::layer))
        .into_make_service_with_connect_info::<Peer>();
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("the control socket is served no more: {error}");
    }
}

async fn status(State(capture): State<CaptureHandle>) -> Response {
    let seen = capture.ask(Capture::snapshot).await;
    answer(seen.map(|snapshot| status::of(&snapshot)))
}

async fn flows(State(capture): State<CaptureHandle>, wanted: Wanted) -> Result<Response, Failed> {
    if wanted.choice.is_all() {
        let query = wanted.query;
        return Ok(answer(
            capture.ask(move |capture| flow_page(capture, &query)).await,
        ));
    }
    let choice = wanted.choice.clone();
    let rows = capture.ask(move |capture| -> Vec<FlowRow> {
        let pipeline = capture.pipeline();
        let all = pipeline.live_flows().chain(pipeline.recent_flows());
        all.map(|flow| FlowRow(pipeline.flow_event(flow)))
            .filter(|row| choice.takes(row))
            .collect()
    });
    wanted.page(rows.await?)
}

async fn sessions(
    State(capture): State<CaptureHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let name = wanted.query.protocol.clone();
    if let Some(name) = &name
        && Protocol::from_name(name).is_none()
    {
        let names: Vec<&str> = Protocol::ALL.iter().filter_map(|one| one.name()).collect();
        let error = format!("protocol is one of {}", names.join(", "));
        return Err(Failed::Said(StatusCode::BAD_REQUEST, error));
    }
    let rows = capture.ask(move |capture| session_rows(capture, name.as_deref()));
    wanted.page(rows.await?)
}

async fn device_page(
    State(capture): State<CaptureHandle>,
    Extension(directory): Extension<Directory>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let mut hosts = capture.ask(|capture| capture.pipeline().hosts()).await?;
    internet_last(&mut hosts, &directory.inside().await?);
    let everywhere = wanted.query.site_only.then(|| wanted.choice.everywhere());
    let everywhere = everywhere.map(|all| hosts.iter().filter(|it| all.takes(*it)).count());
    let page = choose(hosts, &wanted.choice);
    let Page { total, items } =
        page.map_err(|error| Failed::Said(StatusCode::BAD_REQUEST, error))?;
    let devices = Devices {
        total,
        items,
        internet: everywhere.map(|all| all - total),
    };
    Ok(answer(Ok(devices)))
}

async fn sender_page(
    State(capture): State<CaptureHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let hosts = capture.ask(|capture| capture.pipeline().hosts()).await?;
    wanted.page(hl7_senders(&hosts))
}

async fn title_page(
    State(capture): State<CaptureHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let hosts = capture.ask(|capture| capture.pipeline().hosts()).await?;
    wanted.page(ae_titles(&hosts))
}

/// The running flows, then the ended ones. Of all that are left out nothing is copied.
fn flow_page(capture: &Capture, query: &Query) -> Page<FlowRow> {
    let pipeline = capture.pipeline();
    let all = || pipeline.live_flows().chain(pipeline.recent_flows());
    let limit = query.limit.min(LIMIT_MAX);
    let row = |flow: &FlowSnapshot| FlowRow(pipeline.flow_event(flow));
    Page {
        total: all().count(),
        items: all().skip(query.offset).take(limit).map(row).collect(),
    }
}

/// Sessions of a protocol, or of all, the latest first.
fn session_rows(capture: &Capture, name: Option<&str>) -> Vec<SessionRow> {
    let wanted = |protocol: &&Protocol| name.is_none() || name == protocol.name();
    let protocols = Protocol::ALL.iter().filter(wanted);
    let mut rows: Vec<SessionRow> = protocols
        .flat_map(|protocol| capture.pipeline().sessions(*protocol))
        .map(SessionRow)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.0.timestamp));
    rows
}
