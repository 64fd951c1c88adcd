//! The socket's answers about incidents: what there is, and what people change.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::Path,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use sensor_analysis::incident::no_incident;
use sensor_facts::{
    action::Action,
    alert::Label,
    finding::Finding,
    incident::{Incident, number},
    reason,
    rule::{Actor, Scope, State},
    target::Target,
};
use sensor_response::{Wish, objection};

use super::{
    answer::{Failed, answer, failure},
    api::{
        ContainedIncident, INCIDENTS, LabelledAlerts, NewContainment, NewIncidentLabel, NewNote,
        NewSplit, OtherIncident, Proposed, Reason, RefusedProposal,
    },
    change::Order,
    pages::Wanted,
    roles::Roles,
};
use crate::live::responder::{Responder, ResponderHandle};

pub(super) fn router(response: ResponderHandle, roles: Roles) -> Router {
    let of = |what: &str| format!("{INCIDENTS}/{{id}}/{what}");
    Router::new()
        .route(INCIDENTS, get(list))
        .route(&format!("{INCIDENTS}/{{id}}"), get(show))
        .route(&of("merge"), post(merge))
        .route(&of("split"), post(split))
        .route(&of("close"), post(close))
        .route(&of("note"), post(note))
        .route(&of("label"), post(label))
        .route(&of("contain"), post(contain))
        .layer(Extension(roles))
        .layer(Extension(response))
}

/// The number in a request's path.
struct Id(u64);

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        number(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

async fn list(
    Extension(response): Extension<ResponderHandle>,
    wanted: Wanted,
) -> Result<Response, Failed> {
    let list = |responder: &Responder| -> Vec<Incident> {
        responder.analysis().incidents().all().cloned().collect()
    };
    wanted.of_response(&response, list).await
}

async fn show(Extension(response): Extension<ResponderHandle>, Path(Id(id)): Path<Id>) -> Response {
    let story = response.ask(move |responder| responder.analysis().story(id));
    match story.await {
        Ok(None) => failure(StatusCode::NOT_FOUND, &no_incident(id)),
        other => answer(other),
    }
}

/// Writes down and tells what a person changed.
fn record(
    responder: &mut Responder,
    actor: &Actor,
    (incident, change): (u64, &str),
    (what, reason): (String, String),
) {
    let action = Action::IncidentChanged {
        incident,
        change: change.to_owned(),
        what,
        reason,
    };
    responder.keeper_mut().record(actor, action);
    responder.tell_changed_incidents();
}

async fn merge(Path(Id(id)): Path<Id>, order: Order<OtherIncident>) -> Result<Response, Failed> {
    let merges = move |responder: &mut Responder, actor: &Actor, with: OtherIncident| {
        reason::check(&with.reason)?;
        let now = responder.keeper().time();
        let incidents = responder.analysis_mut().incidents_mut();
        let incident = incidents.merge(id, with.other, actor, now)?;
        let younger = id.max(with.other);
        let what = format!("I{younger} is a part of it now");
        record(
            responder,
            actor,
            (incident.id, "merged"),
            (what, with.reason),
        );
        Ok(incident)
    };
    order.carry_out(merges).await
}

async fn split(Path(Id(id)): Path<Id>, order: Order<NewSplit>) -> Result<Response, Failed> {
    let splits = move |responder: &mut Responder, actor: &Actor, new: NewSplit| {
        reason::check(&new.reason)?;
        let now = responder.keeper().time();
        let incidents = responder.analysis_mut().incidents_mut();
        let incident = incidents.split(id, &new.devices, now)?;
        let devices: Vec<String> = new.devices.iter().map(ToString::to_string).collect();
        let what = format!("{} in I{}", devices.join(", "), incident.id);
        record(responder, actor, (id, "split"), (what, new.reason));
        Ok(incident)
    };
    order.carry_out(splits).await
}

async fn close(Path(Id(id)): Path<Id>, order: Order<Reason>) -> Result<Response, Failed> {
    let closes = move |responder: &mut Responder, actor: &Actor, Reason { reason }| {
        let now = responder.keeper().time();
        let incidents = responder.analysis_mut().incidents_mut();
        let incident = incidents.close(id, actor, now, &reason)?;
        record(responder, actor, (id, "closed"), (String::new(), reason));
        Ok(incident)
    };
    order.carry_out(closes).await
}

async fn note(Path(Id(id)): Path<Id>, order: Order<NewNote>) -> Result<Response, Failed> {
    let notes = move |responder: &mut Responder, actor: &Actor, new: NewNote| {
        let now = responder.keeper().time();
        let incidents = responder.analysis_mut().incidents_mut();
        let incident = incidents.note(id, actor, now, &new.note)?;
        record(responder, actor, (id, "noted"), (String::new(), new.note));
        Ok(incident)
    };
    order.carry_out(notes).await
}

async fn label(Path(Id(id)): Path<Id>, order: Order<NewIncidentLabel>) -> Result<Response, Failed> {
    let labels = move |responder: &mut Responder, actor: &Actor, new: NewIncidentLabel| {
        let NewIncidentLabel { verdict, reason } = new;
        let label = Label {
            verdict,
            by: actor.clone(),
            time: responder.keeper().time(),
            reason: reason.clone(),
        };
        let labelled = responder.analysis_mut().label_incident(id, &label)?;
        let word = verdict.label().to_owned();
        record(
            responder,
            actor,
            (id, "labelled"),
            (word.clone(), reason.clone()),
        );
        for alert in &labelled.alerts {
            let action = Action::Labelled {
                alert: alert.id,
                verdict: word.clone(),
                reason: reason.clone(),
            };
            responder.keeper_mut().record(actor, action);
        }
        Ok(LabelledAlerts {
            incident: labelled.incident,
            alerts: labelled.alerts.iter().map(|one| one.id).collect(),
            refused: labelled.refused.into_iter().map(|(_, why)| why).collect(),
        })
    };
    order.carry_out(labels).await
}

/// Proposes a rule for each suspect. Rules and the never-block list decide as about any other rule, and evidence that
/// another host may have made convicts nobody.
async fn contain(
    Extension(roles): Extension<Roles>,
    Path(Id(id)): Path<Id>,
    order: Order<NewContainment>,
) -> Result<Response, Failed> {
    let proposes = move |responder: &mut Responder, actor: &Actor, new: NewContainment| {
        reason::check(&new.reason)?;
        let analysis = responder.analysis();
        let incident = analysis.incidents().current(id)?.clone();
        let suspects = incident.suspects();
        if suspects.is_empty() {
            return Err(format!(
                "no device of I{id} is suspected: only victims are known, and a victim is never blocked"
            ));
        }
        let mut done = ContainedIncident {
            proposed: Vec::new(),
            refused: Vec::new(),
            warning: roles.warning(None),
        };
        for device in suspects {
            let findings = findings(responder, &incident, device);
            let wish = Wish {
                target: Target::Device { address: device },
                scope: Scope::All,
                state: State::Proposed,
                sticky: false,
                ttl: Duration::from_secs(new.ttl),
                reason: format!("incident I{id}: {}", new.reason),
            };
            let what = format!("propose a block of {device}, a suspect of I{id}");
            let mut keeper = responder.keeper_mut();
            let result = match objection(&findings) {
                Some(reason) => Err(reason),
                None => keeper.add(actor, wish).map_err(|denied| denied.to_string()),
            };
            match result {
                Ok((rule, _)) => done.proposed.push(Proposed { device, rule }),
                Err(reason) => {
                    keeper.refused(actor, what, reason.clone());
                    done.refused.push(RefusedProposal { device, reason });
                }
            }
        }
        let what = format!(
            "{} rules proposed, {} refused",
            done.proposed.len(),
            done.refused.len()
        );
        record(responder, actor, (id, "contained"), (what, new.reason));
        Ok(done)
    };
    order.carry_out(proposes).await
}

/// What was found of a suspect in an incident.
fn findings(responder: &Responder, incident: &Incident, device: std::net::IpAddr) -> Vec<Finding> {
    let alerts = responder.analysis().alerts();
    let own = incident.alerts.iter();
    own.filter(|one| one.device == device && !one.role.is_victim())
        .filter_map(|one| alerts.get(one.alert))
        .flat_map(|alert| alert.findings.clone())
        .collect()
}
