//! The socket's answers about exceptions: what is muted, and changes of it.

use std::collections::HashMap;

use axum::{
    Extension, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use sensor_analysis::alert::Exception;
use sensor_facts::{action::Action, reason, rule::Actor};

use super::{
    answer::Failed,
    api::{EXCEPTIONS, NewExceptions, Reason},
    change::Order,
    pages::{Directory, Wanted},
};
use crate::live::{
    capture::CaptureHandle,
    responder::{Responder, ResponderHandle},
};

pub(super) fn router(response: ResponderHandle) -> Router {
    Router::new()
        .route(EXCEPTIONS, get(list).post(add))
        .route(&format!("{EXCEPTIONS}/{{id}}/end"), post(end))
        .layer(Extension(response))
}

async fn list(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let list = |responder: &Responder| -> Vec<Exception> {
        responder.analysis().alerts().exceptions().to_vec()
    };
    wanted.of_response(&response, list).await
}

async fn add(
    Extension(directory): Extension<Directory>,
    order: Order<NewExceptions>,
) -> Result<Response, Failed> {
    let adds = |responder: &mut Responder, actor: &Actor, new: NewExceptions| {
        let now = responder.keeper().time();
        let analysis = responder.analysis_mut();
        let made = analysis.except(new.exceptions, actor, now)?;
        for one in &made {
            let action = Action::ExceptionMade {
                exception: one.id,
                whom: one.whom.to_string(),
                detectors: one.detectors.clone(),
                until: one.until,
                reason: one.reason.clone(),
            };
            responder.keeper_mut().record(actor, action);
        }
        Ok(made)
    };
    let answer = order.carry_out(adds).await?;
    tell_roles(&directory.capture, &directory.response).await;
    Ok(answer)
}

async fn end(Path(id): Path<u64>, order: Order<Reason>) -> Result<Response, Failed> {
    let ends = move |responder: &mut Responder, actor: &Actor, Reason { reason }| {
        reason::check(&reason)?;
        let ended = responder.analysis_mut().end_exception(id).ok_or_else(|| {
            format!(
                "there is no exception {id}; `wardtap exceptions list` shows those that there are"
            )
        })?;
        let action = Action::ExceptionEnded {
            exception: id,
            whom: ended.whom.to_string(),
            muted: ended.muted,
            reason,
        };
        responder.keeper_mut().record(actor, action);
        Ok(ended)
    };
    order.carry_out(ends).await
}

/// Tells the analysis the roles of devices, if an exception or an override is about a role.
pub(crate) async fn tell_roles(capture: &CaptureHandle, response: &ResponderHandle) {
    let asks = response.ask(|it| it.analysis().asks_for_roles()).await;
    if asks != Ok(true) {
        return;
    }
    let Ok(hosts) = capture.ask(|capture| capture.pipeline().hosts()).await else {
        // The daemon is busy or ends; it is tried again.
        return;
    };
    let roles = hosts.iter().map(|host| (host.address, host.role.role));
    let roles: HashMap<_, _> = roles.collect();
    let _ = response
        .ask(move |it| it.analysis_mut().set_roles(roles))
        .await;
}
