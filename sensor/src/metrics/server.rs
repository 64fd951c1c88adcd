//! `/metrics`, `/-/healthy` and `/-/ready` over HTTP.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus::TEXT_FORMAT;
use tokio::net::TcpListener;

use super::Exposition;
use crate::live::capture::{Capture, CaptureHandle};

#[derive(Clone)]
struct Shared {
    capture: CaptureHandle,
    exposition: Exposition,
}

/// Serves metrics until the daemon ends.
pub async fn serve(listener: TcpListener, capture: CaptureHandle) {
    let exposition = match Exposition::new() {
        Ok(exposition) => exposition,
        Err(error) => {
            tracing::error!("no metrics: {error}");
            return;
        }
    };
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(async || "healthy\n"))
        .route("/-/ready", get(ready))
        .with_state(Shared {
            capture,
            exposition,
        });
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("metrics are served no more: {error}");
    }
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let snapshot = match shared.capture.ask(Capture::snapshot).await {
        Ok(snapshot) => snapshot,
        Err(error) => return unavailable(&error),
    };
    match shared.exposition.text(snapshot) {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Ready: the capture answers.
async fn ready(State(shared): State<Shared>) -> Response {
    match shared.capture.ask(|_| ()).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &dyn std::error::Error) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
}
