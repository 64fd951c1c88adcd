//! The socket's answers that are exports. The trail records an export before it is sent.

use axum::{
    Extension, Json, Router,
    extract::{Query as Params, connect_info::ConnectInfo},
    response::{IntoResponse, Response},
    routing::get,
};
use sensor_analysis::{Analysis, model::ExportedRow};
use sensor_evidence::{
    audit::{self, bundle::Selection},
    pseudonym::Veil,
};
use sensor_facts::time::Time;

use super::{
    answer::Failed,
    api::{AUDIT, EXPORTED_ROWS, EXPORTED_TRAIL, LABELLED_ROWS, LIMIT_MAX, Part},
    evidence::{Given, blocking, person},
    pages::Wanted,
    peer::Peer,
    veil::Veiled,
};
use crate::{list::Choice, live::responder::ResponderHandle};

pub(super) fn router(response: ResponderHandle) -> Router {
    Router::new()
        .route(EXPORTED_ROWS, get(rows))
        .route(LABELLED_ROWS, get(labelled_rows))
        .route(EXPORTED_TRAIL, get(trail))
        .route(AUDIT, get(last))
        .layer(Extension(response))
}

async fn rows(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let choice = wanted.choice.clone();
    let rows = response.ask(move |responder| {
        let mut rows = recorded(responder.analysis());
        rows.retain(|row| choice.takes(row));
        rows
    });
    Ok(exported(rows.await?, "features of recorded flows", &wanted))
}

async fn labelled_rows(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let choice = wanted.choice.clone();
    let rows = response.ask(move |responder| labelled(responder.analysis(), &choice));
    Ok(exported(
        rows.await?,
        "features of labelled alerts",
        &wanted,
    ))
}

fn exported(rows: Vec<ExportedRow>, what: &str, wanted: &Wanted) -> Response {
    let given = Given {
        what: what.to_owned(),
        items: rows.len() as u64,
        pseudonymised: wanted.query.pseudonymise,
    };
    (Extension(given), Json(rows)).into_response()
}

/// The last entries of the trail: to be looked at, which is no export.
async fn last(
    Extension(response): Extension<ResponderHandle>,
    Wanted { query, choice }: Wanted,
) -> Result<Response, Failed> {
    let path = response.command(|keeper| keeper.trail().path().to_owned());
    let path = path.await?;
    let last = query.limit.min(LIMIT_MAX);
    let read = blocking(move || audit::last_of(&path, last, |entry| choice.takes(entry)));
    let entries = read.await?.map_err(|error| Failed::refused(&error))?;
    Ok(Json(entries).into_response())
}

async fn trail(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Params(part): Params<Part>,
    veil: Option<Extension<Veil>>,
) -> Result<Response, Failed> {
    let by = person(peer)?;
    let asked = response.command(|keeper| (keeper.trail().path().to_owned(), keeper.time()));
    let (path, now) = asked.await?;
    // An entry of this moment is one of the past.
    let end = match part.until {
        0 => Time(i64::MAX),
        until => now.before(until),
    };
    let within = part.since.map_or(Time(i64::MIN), |since| now.before(since))..end;
    let selection = blocking(move || Selection::read(&path, &within));
    let selection = selection.await?.map_err(|error| Failed::refused(&error))?;
    let given = Given {
        what: format!("the audit trail from entry {} on", selection.first()),
        items: selection.len(),
        pseudonymised: veil.is_some(),
    };
    let bundle = blocking(move || {
        let veil = veil.as_ref().map(|Extension(veil)| veil);
        selection.bundle(by, now, veil)
    });
    let bundle = bundle.await?.map_err(|error| Failed::refused(&error))?;
    let text = String::from_utf8(bundle).map_err(|error| Failed::refused(&error))?;
    Ok((Extension(given), Extension(Veiled), Json(text)).into_response())
}

fn recorded(analysis: &Analysis) -> Vec<ExportedRow> {
    let rows = analysis.recorded().rows().cloned();
    rows.map(|row| ExportedRow { row, label: None }).collect()
}

/// The flows of the labelled alerts that are wanted.
fn labelled(analysis: &Analysis, choice: &Choice) -> Vec<ExportedRow> {
    let cases = analysis.cases().all().filter(|case| choice.takes(*case));
    cases
        .flat_map(|case| {
            let label = case.verdict();
            case.rows().map(move |row| ExportedRow { row, label })
        })
        .collect()
}
