//! Having the daemon read its configuration again, under the name of the person who asks for it.

use axum::{Extension, Json, Router, http::StatusCode, response::IntoResponse, routing::post};
use sensor_facts::{action::ConfigurationChange, rule::Actor};
use tokio::sync::{mpsc, oneshot};

use super::{
    answer::Failed,
    api::{NewReload, RELOAD},
    change::{DISK, Order},
    evidence::blocking,
};
use crate::live::responder::ResponderHandle;

/// A person asks for a reload.
#[derive(Debug)]
pub struct ReloadOrder {
    /// Who asks.
    pub(crate) actor: Actor,
    /// Takes what changed, or why nothing did, once it is in the audit trail's queue.
    pub(crate) answer: oneshot::Sender<Result<ConfigurationChange, String>>,
}

/// Reloads that may wait: each is in force before the next one begins.
const WAITING: usize = 4;

/// Where reloads are asked for, and where the daemon takes the orders.
pub(crate) fn orders() -> (mpsc::Sender<ReloadOrder>, mpsc::Receiver<ReloadOrder>) {
    mpsc::channel(WAITING)
}

pub(super) fn router(response: ResponderHandle, orders: mpsc::Sender<ReloadOrder>) -> Router {
    Router::new()
        .route(RELOAD, post(reload))
        .layer(Extension(orders))
        .layer(Extension(response))
}

async fn reload(
    Extension(orders): Extension<mpsc::Sender<ReloadOrder>>,
    order: Order<NewReload>,
) -> Result<impl IntoResponse, Failed> {
    let Order {
        response, actor, ..
    } = order;
    let (answer, answered) = oneshot::channel();
    let busy = |why: &str| Failed::Said(StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    orders
        .try_send(ReloadOrder { actor, answer })
        .map_err(|_| busy("other reloads wait, or the daemon ends: ask again"))?;
    let change = answered
        .await
        .map_err(|_| busy("the daemon ends, so nothing was reloaded"))?;
    let ticket = response.command(|keeper| keeper.trail().ticket()).await?;
    // A failed reload is in the trail too.
    let written = blocking(move || ticket.wait(DISK)).await;
    let change = change.map_err(|error| Failed::refused(&error))?;
    if written.is_ok_and(|written| written.is_ok()) {
        Ok(Json(change))
    } else {
        Err(Failed::Said(
            StatusCode::GATEWAY_TIMEOUT,
            format!(
                "{change}; the disk did not take the audit trail in time, so this is not written down yet: see `wardtap status`"
            ),
        ))
    }
}
