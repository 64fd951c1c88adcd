//! The socket's answers about models.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sensor_analysis::model::{LoadError, Loaded, ModelFile, Models, Row, SIZE_MAX, Summary, Trial};
use sensor_facts::{
    action::{Action, ModelChange},
    alert::Verdict,
    rule::Actor,
    time::Time,
};

use super::{
    answer::{Failed, answer},
    api::{MODELS, ModelBack, NewModel},
    change::{NO_ROOM, Order},
    evidence::blocking,
};
use crate::live::{
    AskError,
    responder::{Responder, ResponderHandle},
};

/// A model in base64, with its manifest and reason.
const BODY_MAX: usize = SIZE_MAX / 3 * 4 + (4 << 20);

pub(super) fn router(response: ResponderHandle, models: Arc<Models>) -> Router {
    Router::new()
        .route(MODELS, get(list))
        .route(
            &format!("{MODELS}/load"),
            post(load).layer(DefaultBodyLimit::max(BODY_MAX)),
        )
        .route(
            &format!("{MODELS}/compare"),
            post(compare).layer(DefaultBodyLimit::max(BODY_MAX)),
        )
        .route(&format!("{MODELS}/rollback"), post(rollback))
        .layer(Extension(models))
        .layer(Extension(response))
}

async fn list(Extension(models): Extension<Arc<Models>>) -> Response {
    answer::<Summary>(Ok(models.summary()))
}

/// The recorded flows, and what a model is held against: the labelled cases, and the last fifth of the time of the
/// recorded flows, which training leaves to the test.
async fn tried(response: &ResponderHandle) -> Result<(Vec<Row>, Trial), AskError> {
    response
        .ask(|responder| {
            let analysis = responder.analysis();
            let rows: Vec<Row> = analysis.recorded().rows().cloned().collect();
            let mut trial = Trial {
                latest: latest(&rows),
                ..Trial::default()
            };
            for case in analysis.cases().all() {
                let one = (case.alert.id, case.rows().collect());
                match case.verdict() {
                    Some(Verdict::Malicious) => trial.malicious.push(one),
                    Some(Verdict::Benign) => trial.benign.push(one),
                    None => {}
                }
            }
            (rows, trial)
        })
        .await
}

fn latest(rows: &[Row]) -> Vec<Row> {
    let times = || rows.iter().map(|row| row.time.0);
    let (Some(begin), Some(end)) = (times().min(), times().max()) else {
        return Vec::new();
    };
    let from = end - (end - begin) / 5;
    let latest = rows.iter().filter(|row| row.time.0 >= from);
    latest.cloned().collect()
}

/// The file of a request.
fn file(new: &NewModel) -> Option<ModelFile> {
    Some(ModelFile {
        name: plain(&new.name),
        graph: STANDARD.decode(&new.graph).ok()?,
        manifest: new.manifest.clone().into_bytes(),
    })
}

async fn compare(
    Extension(response): Extension<ResponderHandle>,
    Extension(models): Extension<Arc<Models>>,
    body: Result<Json<NewModel>, JsonRejection>,
) -> Result<Response, Failed> {
    let Json(new) = body.map_err(|rejection| Failed::refused(&rejection.body_text()))?;
    let file = file(&new).ok_or_else(|| Failed::refused(&"the model is not in base64"))?;
    let (rows, trial) = tried(&response).await?;
    let compared = blocking(move || models.compare(&file, &rows, &trial)).await?;
    let compared = compared.map_err(|error| Failed::refused(&error))?;
    Ok(Json(compared).into_response())
}

async fn load(
    Extension(models): Extension<Arc<Models>>,
    order: Order<NewModel>,
) -> Result<Response, Failed> {
    let file = file(&order.body).ok_or_else(|| {
        let error = "the model is not in base64".to_owned();
        Failed::Said(StatusCode::BAD_REQUEST, error)
    })?;
    let (rows, trial) = tried(&order.response).await?;
    let trial = order.body.no_worse.then_some(trial);
    let reason = order.body.reason.clone();
    let asked = Requested {
        name: file.name.clone(),
        sha256: Some(file.sha256()),
        reason: reason.clone(),
    };
    done(
        order.with(asked),
        move |time, actor| models.load(&file, &rows, trial.as_ref(), (time, actor, &reason)),
        Action::ModelLoaded,
    )
    .await
}

async fn rollback(
    Extension(models): Extension<Arc<Models>>,
    order: Order<ModelBack>,
) -> Result<Response, Failed> {
    let windows = order.body.windows;
    let summary = models.summary();
    let previous = if windows {
        summary.windows_previous
    } else {
        summary.previous
    };
    let name = previous.as_ref().map(|entry| entry.name.clone());
    let reason = order.body.reason.clone();
    let asked = Requested {
        name: name.unwrap_or_else(|| "the one before".to_owned()),
        sha256: previous.map(|entry| entry.sha256),
        reason: reason.clone(),
    };
    done(
        order.with(asked),
        move |time, actor| {
            let how = (time, actor, reason.as_str());
            if windows {
                models.rollback_windows(how)
            } else {
                models.rollback(how)
            }
        },
        Action::ModelRolledBack,
    )
    .await
}

/// A file's name that can stand in a line of text.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|one| !one.is_control())
        .take(128)
        .collect()
}

/// The model that a person wants in use, and why.
struct Requested {
    name: String,
    sha256: Option<String>,
    reason: String,
}

/// Does something with models off the response thread, then writes down what came of it, by whom and why.
async fn done<F, G>(order: Order<Requested>, does: F, action: G) -> Result<Response, Failed>
where
    F: FnOnce(Time, &Actor) -> Result<Loaded, LoadError> + Send + 'static,
    G: FnOnce(ModelChange) -> Action + Send + 'static,
{
    let asked = order
        .response
        .command(|keeper| (keeper.time(), keeper.trail().has_room()));
    let (time, has_room) = asked.await?;
    if !has_room {
        // Before anything is done: what can't be written down is not done.
        return Err(Failed::Said(
            StatusCode::SERVICE_UNAVAILABLE,
            NO_ROOM.to_owned(),
        ));
    }
    let actor = order.actor.clone();
    let result = blocking(move || does(time, &actor)).await?;
    let records = move |responder: &mut Responder, actor: &Actor, asked: Requested| {
        let mut keeper = responder.keeper_mut();
        let Requested {
            name,
            sha256,
            reason,
        } = asked;
        match result {
            Ok(loaded) => {
                let change = ModelChange {
                    name: loaded.about.name.clone(),
                    sha256: loaded.about.sha256.clone(),
                    replaces: loaded.replaces.clone(),
                    reason,
                };
                keeper.record(actor, action(change));
                Ok(loaded)
            }
            Err(error) => {
                let refused = Action::ModelRefused {
                    name,
                    sha256,
                    check: error.check().to_owned(),
                    why: error.to_string(),
                    reason,
                };
                keeper.record(actor, refused);
                Err(error.to_string())
            }
        }
    };
    order.carry_out(records).await
}
