//! The socket's answers that may leave the site: under pseudonyms, unless a person wants the addresses.

use axum::{
    Extension, Router, extract::Query as Params, http::StatusCode, response::Response, routing::get,
};

use super::{
    api::{EXPORTED_ROWS, ExportedRow, Wanted},
    server::{answer, failure},
};
use crate::{
    analysis::Analysis,
    pseudonym::{Pseudonyms, SiteKey},
    response::ResponderHandle,
};

pub(super) fn router(response: ResponderHandle) -> Router {
    Router::new()
        .route(EXPORTED_ROWS, get(rows))
        .layer(Extension(response))
}

async fn rows(
    Extension(response): Extension<ResponderHandle>,
    Params(wanted): Params<Wanted>,
) -> Response {
    let found = response.ask(move |responder| {
        let rows = if wanted.labelled {
            labelled(responder.analysis())
        } else {
            recorded(responder.analysis())
        };
        (rows, responder.folder().to_owned())
    });
    let (mut rows, folder) = match found.await {
        Ok(found) => found,
        Err(error) => return answer::<()>(Err(error)),
    };
    if !wanted.addresses {
        let key = tokio::task::spawn_blocking(move || SiteKey::open(&folder)).await;
        let pseudonyms = match key {
            Ok(Ok(key)) => Pseudonyms::new(&key),
            Ok(Err(error)) => {
                return failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
            }
            Err(error) => return failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        };
        for one in &mut rows {
            one.row.client = pseudonyms.socket(one.row.client);
            one.row.server = pseudonyms.socket(one.row.server);
        }
    }
    answer(Ok(rows))
}

fn recorded(analysis: &Analysis) -> Vec<ExportedRow> {
    let rows = analysis.recorded().rows().cloned();
    rows.map(|row| ExportedRow { row, label: None }).collect()
}

fn labelled(analysis: &Analysis) -> Vec<ExportedRow> {
    let cases = analysis.cases().all();
    cases
        .flat_map(|case| {
            let label = case.verdict();
            case.rows().map(move |row| ExportedRow { row, label })
        })
        .collect()
}
