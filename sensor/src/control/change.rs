//! Changes that people ask for: done on the response thread, and in the audit trail on the disk before they are
//! answered.

use axum::{
    Json,
    extract::{ConnectInfo, FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sensor_facts::rule::Actor;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    answer::Failed,
    evidence::{person, written},
    peer::Peer,
};
use crate::live::responder::{Responder, ResponderHandle};

/// A change that a person asks for: the body of the request, and who it is by the socket's credentials.
pub(super) struct Order<B> {
    pub(super) response: ResponderHandle,
    pub(super) actor: Actor,
    pub(super) body: B,
}

impl<S: Send + Sync, B: DeserializeOwned> FromRequest<S> for Order<B> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let extensions = request.extensions();
        let response = extensions.get::<ResponderHandle>().cloned();
        let peer = extensions.get::<ConnectInfo<Peer>>().copied();
        let (Some(response), Some(ConnectInfo(peer))) = (response, peer) else {
            return Err(Failed::broken(
                &"the route lacks the response thread or the peer",
            ));
        };
        let Json(body) = Json::from_request(request, state).await.map_err(|error| {
            let status = match error.status() {
                StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            Failed::Said(status, error.body_text())
        })?;
        Ok(Self {
            response,
            actor: person(peer)?,
            body,
        })
    }
}

impl<B> Order<B> {
    /// The same person's order with another body.
    pub(super) fn with<C>(self, body: C) -> Order<C> {
        Order {
            response: self.response,
            actor: self.actor,
            body,
        }
    }
}

impl<B: Send + 'static> Order<B> {
    /// Does on the response thread what the person asks for.
    pub(super) async fn carry_out<T, F>(self, does: F) -> Result<Response, Failed>
    where
        T: Serialize + Send + 'static,
        F: FnOnce(&mut Responder, &Actor, B) -> Result<T, String> + Send + 'static,
    {
        let Self {
            response,
            actor,
            body,
        } = self;
        let (done, ticket) = response
            .ask(move |responder| {
                let done = does(responder, &actor, body);
                (done, responder.keeper().trail().ticket())
            })
            .await?;
        // A refusal is in the trail too.
        written(ticket).await?;
        let done = done.map_err(|refused| Failed::refused(&refused))?;
        Ok(Json(done).into_response())
    }
}
