//! The socket's answers that are made to leave the site. That they did is in the trail before they are answered.

use axum::{
    Extension, Json, Router,
    extract::{Query as Params, connect_info::ConnectInfo},
    response::Response,
    routing::get,
};

use super::{
    api::{EXPORTED_ROWS, ExportedRow, Wanted},
    rules::{Peer, act},
};
use crate::{analysis::Analysis, audit::Action, response::ResponderHandle};

pub(super) fn router(response: ResponderHandle) -> Router {
    Router::new()
        .route(EXPORTED_ROWS, get(rows))
        .layer(Extension(response))
}

async fn rows(
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Params(wanted): Params<Wanted>,
) -> Response {
    act(
        &response,
        peer,
        Ok(Json(())),
        move |responder, actor, ()| {
            let (rows, what) = if wanted.labelled {
                (
                    labelled(responder.analysis()),
                    "features of labelled alerts",
                )
            } else {
                (recorded(responder.analysis()), "features of recorded flows")
            };
            let action = Action::Exported {
                what: what.to_owned(),
                items: rows.len() as u64,
                pseudonymised: wanted.pseudonymise,
            };
            responder.keeper_mut().record(actor, action);
            Ok(rows)
        },
    )
    .await
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
