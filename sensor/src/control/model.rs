//! The socket's answers about models.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, connect_info::ConnectInfo},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sensor_analysis::model::{LoadError, Loaded, ModelFile, Models, Row, SIZE_MAX, Summary, Trial};
use sensor_facts::{action::Action, alert::Verdict, rule::Actor};

use super::{
    answer::{Failed, answer, failure},
    api::{MODELS, NewModel, Reason},
    change::{Body, NO_ROOM, act},
    evidence::blocking,
    peer::Peer,
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
    body: Body<NewModel>,
) -> Result<Response, Failed> {
    let Json(new) = body.map_err(|rejection| Failed::refused(&rejection.body_text()))?;
    let file = file(&new).ok_or_else(|| Failed::refused(&"the model is not in base64"))?;
    let (rows, trial) = tried(&response).await?;
    let compared = blocking(move || models.compare(&file, &rows, &trial)).await?;
    let compared = compared.map_err(|error| Failed::refused(&error))?;
    Ok(Json(compared).into_response())
}

async fn load(
    Extension(response): Extension<ResponderHandle>,
    Extension(models): Extension<Arc<Models>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<NewModel>,
) -> Response {
    let new = match body {
        Ok(Json(new)) => new,
        Err(rejection) => return failure(rejection.status(), &rejection.body_text()),
    };
    let Some(file) = file(&new) else {
        return failure(StatusCode::BAD_REQUEST, "the model is not in base64");
    };
    let NewModel {
        reason, no_worse, ..
    } = new;
    let (rows, trial) = match tried(&response).await {
        Ok(tried) => tried,
        Err(error) => return answer::<()>(Err(error)),
    };
    let trial = no_worse.then_some(trial);
    let sha256 = file.sha256();
    let name = file.name.clone();
    let why = reason.clone();
    done(
        &response,
        peer,
        (name, Some(sha256), reason),
        move |time, actor| models.load(&file, &rows, trial.as_ref(), (time, actor, &why)),
        |about, replaces, reason| Action::ModelLoaded {
            name: about.0,
            sha256: about.1,
            replaces,
            reason,
        },
    )
    .await
}

async fn rollback(
    Extension(response): Extension<ResponderHandle>,
    Extension(models): Extension<Arc<Models>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Body<Reason>,
) -> Response {
    let reason = match body {
        Ok(Json(Reason { reason })) => reason,
        Err(rejection) => return failure(rejection.status(), &rejection.body_text()),
    };
    let previous = models.summary().previous;
    let name = previous
        .as_ref()
        .map_or_else(|| "the one before".to_owned(), |entry| entry.name.clone());
    let sha256 = previous.map(|entry| entry.sha256);
    let why = reason.clone();
    done(
        &response,
        peer,
        (name, sha256, reason),
        move |time, actor| models.rollback((time, actor, &why)),
        |about, replaces, reason| Action::ModelRolledBack {
            name: about.0,
            sha256: about.1,
            replaces,
            reason,
        },
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

/// Does something with models off the response thread, then writes down what came of it, by whom and why.
async fn done<F, G>(
    response: &ResponderHandle,
    peer: Peer,
    (name, sha256, reason): (String, Option<String>, String),
    does: F,
    action: G,
) -> Response
where
    F: FnOnce(sensor_facts::time::Time, &Actor) -> Result<Loaded, LoadError> + Send + 'static,
    G: FnOnce((String, String), Option<String>, String) -> Action + Send + 'static,
{
    let Some(actor) = peer.actor() else {
        return failure(
            StatusCode::FORBIDDEN,
            "the socket does not say who you are, and the trail has to",
        );
    };
    let asked = response.command(|keeper| (keeper.time(), keeper.trail().has_room()));
    let time = match asked.await {
        Ok((time, true)) => time,
        // Before anything is done: what can't be written down is not done.
        Ok((_, false)) => return failure(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM),
        Err(error) => return answer::<()>(Err(error)),
    };
    let result = tokio::task::spawn_blocking(move || does(time, &actor)).await;
    let Ok(result) = result else {
        return failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the model could not be examined; the log has why",
        );
    };
    let record = move |responder: &mut Responder, actor: &Actor, ()| {
        let mut keeper = responder.keeper_mut();
        match result {
            Ok(loaded) => {
                let about = (loaded.about.name.clone(), loaded.about.sha256.clone());
                keeper.record(actor, action(about, loaded.replaces.clone(), reason));
                Ok(loaded)
            }
            Err(error) => {
                keeper.record(
                    actor,
                    Action::ModelRefused {
                        name,
                        sha256,
                        check: error.check().to_owned(),
                        why: error.to_string(),
                        reason,
                    },
                );
                Err(error.to_string())
            }
        }
    };
    act(response, peer, Ok(Json(())), record).await
}
