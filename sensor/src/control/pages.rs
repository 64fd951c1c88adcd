//! Pages of lists: which rows are wanted is looked up once, for all of them.

use axum::{
    Json,
    extract::{FromRequest, Query as Params, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use sensor_facts::setting::Network;

use super::{answer::Failed, api::Query};
use crate::{
    list::{Choice, Item, choose},
    live::{
        capture::CaptureHandle,
        responder::{Responder, ResponderHandle},
    },
};

/// What a request for a page wants, with names and roles looked up.
pub(super) struct Wanted {
    pub(super) query: Query,
    pub(super) choice: Choice,
}

/// Who knows hosts and networks; an extension of all requests.
#[derive(Clone)]
pub(super) struct Directory {
    pub(super) capture: CaptureHandle,
    pub(super) response: ResponderHandle,
}

impl Directory {
    /// Networks that belong to the site, beside private ones.
    pub(super) async fn inside(&self) -> Result<Vec<Network>, Failed> {
        let inside = self.response.ask(|it| it.analysis().inside().to_vec());
        Ok(inside.await?)
    }

    /// Looks up what a query names.
    async fn choice(&self, query: &Query) -> Result<Choice, Failed> {
        let hosts = if Choice::asks_for_hosts(query) {
            let hosts = self.capture.ask(|capture| capture.pipeline().hosts());
            hosts.await?
        } else {
            Vec::new()
        };
        let inside = if query.site_only {
            self.inside().await?
        } else {
            Vec::new()
        };
        Choice::new(query, &hosts, &inside)
            .map_err(|error| Failed::Said(StatusCode::BAD_REQUEST, error))
    }
}

impl<S: Send + Sync> FromRequest<S> for Wanted {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let directory = request.extensions().get::<Directory>().cloned();
        let directory =
            directory.ok_or_else(|| Failed::broken(&"the route lacks the directory of hosts"))?;
        let query = Params::<Query>::from_request(request, state).await;
        let Params(query) =
            query.map_err(|error| Failed::Said(StatusCode::BAD_REQUEST, error.body_text()))?;
        let choice = directory.choice(&query).await?;
        Ok(Self { query, choice })
    }
}

impl Wanted {
    /// Answers with the part of a list that is wanted.
    pub(super) fn page<T: Item>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<Response, Failed> {
        choose(items, &self.choice)
            .map(|page| Json(page).into_response())
            .map_err(|error| Failed::Said(StatusCode::BAD_REQUEST, error))
    }

    /// The same of a list of the response thread.
    pub(super) async fn of_response<T, F>(
        self,
        response: &ResponderHandle,
        list: F,
    ) -> Result<Response, Failed>
    where
        T: Item + Send,
        F: FnOnce(&Responder) -> Vec<T> + Send + 'static,
    {
        let items = response.ask(move |responder| list(responder)).await?;
        self.page(items)
    }
}
