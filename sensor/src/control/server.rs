//! The socket's answers about what was seen; [`super::rules`] has those that change something. The capture
//! is asked for copies, and text is made of them here.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query as Params, State, rejection::QueryRejection},
    http::StatusCode,
    middleware::from_fn_with_state,
    response::Response,
    routing::get,
};
use serde::Serialize;
use tokio::net::UnixListener;

use super::{
    alerts,
    answer::{answer, failure},
    api::{DEVICES, FLOWS, LIMIT_MAX, Page, Query, SESSIONS, STATUS},
    compliance, devices, evidence, export, exposure, model,
    peer::Peer,
    report,
    roles::Roles,
    rules, status, veil,
};
use crate::live::{
    capture::{Capture, CaptureHandle},
    responder::ResponderHandle,
};
use sensor_analysis::model::Models;
use sensor_common::layer7::Protocol;
use sensor_facts::event::Event;
use sensor_sessions::pipeline::FlowSnapshot;

type ListQuery = Result<Params<Query>, QueryRejection>;

/// Answers at `listener` until the daemon ends.
pub async fn serve(
    listener: UnixListener,
    capture: CaptureHandle,
    response: ResponderHandle,
    models: Arc<Models>,
    roles: Roles,
) {
    let ranking = exposure::Ranking::new(capture.clone(), response.clone());
    let router = Router::new()
        .route(STATUS, get(status))
        .route(FLOWS, get(flows))
        .route(SESSIONS, get(sessions))
        .route(DEVICES, get(device_page))
        .with_state(capture.clone())
        .merge(devices::router(capture.clone(), response.clone()))
        .merge(report::router(capture.clone(), response.clone()))
        .merge(alerts::router(response.clone()))
        .merge(export::router(response.clone()))
        .merge(compliance::router(ranking.clone()))
        .merge(exposure::router(ranking))
        .merge(model::router(response.clone(), models))
        .merge(rules::router(response.clone(), roles))
        .fallback(async || failure(StatusCode::NOT_FOUND, "there is no such thing to ask for"))
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

async fn flows(State(capture): State<CaptureHandle>, query: ListQuery) -> Response {
    page(&capture, query, flow_page).await
}

async fn sessions(State(capture): State<CaptureHandle>, query: ListQuery) -> Response {
    if let Ok(Params(Query {
        protocol: Some(name),
        ..
    })) = &query
        && Protocol::from_name(name).is_none()
    {
        let names: Vec<&str> = Protocol::ALL.iter().filter_map(|one| one.name()).collect();
        let error = format!("protocol is one of {}", names.join(", "));
        return failure(StatusCode::BAD_REQUEST, &error);
    }
    page(&capture, query, |capture, query| {
        Page::of(session_events(capture, query), query)
    })
    .await
}

async fn device_page(State(capture): State<CaptureHandle>, query: ListQuery) -> Response {
    page(&capture, query, |capture, query| {
        Page::of(capture.pipeline().hosts(), query)
    })
    .await
}

async fn page<T: Serialize + Send + 'static>(
    capture: &CaptureHandle,
    query: ListQuery,
    read: impl FnOnce(&Capture, &Query) -> Page<T> + Send + 'static,
) -> Response {
    match query {
        Ok(Params(query)) => answer(capture.ask(move |capture| read(capture, &query)).await),
        Err(rejection) => failure(StatusCode::BAD_REQUEST, &rejection.body_text()),
    }
}

/// The running flows, then the ended ones. Of all that are left out nothing is copied.
fn flow_page(capture: &Capture, query: &Query) -> Page<Event> {
    let pipeline = capture.pipeline();
    let all = || pipeline.live_flows().chain(pipeline.recent_flows());
    let limit = query.limit.min(LIMIT_MAX);
    let event = |flow: &FlowSnapshot| pipeline.flow_event(flow);
    Page {
        total: all().count(),
        items: all().skip(query.offset).take(limit).map(event).collect(),
    }
}

fn session_events(capture: &Capture, query: &Query) -> Vec<Event> {
    let wanted = |protocol: &&Protocol| {
        let asked = query.protocol.as_deref();
        asked.is_none() || asked == protocol.name()
    };
    let protocols = Protocol::ALL.iter().filter(wanted);
    let mut events: Vec<Event> = protocols
        .flat_map(|protocol| capture.pipeline().sessions(*protocol))
        .collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.timestamp));
    events
}
