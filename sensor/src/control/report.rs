//! The socket's answers that are reports. What they are made of is gathered here: from the store, and from the memory of
//! the capture where the store lacks it.

mod asked;

use std::path::PathBuf;

use axum::{
    Extension, Json, Router,
    extract::{Path, Query as Params, State, connect_info::ConnectInfo},
    response::{IntoResponse, Response},
    routing::get,
};

use asked::Asked;

use super::{
    answer::Failed,
    api::{INCIDENT_REPORTS, Reporting},
    evidence::{Given, blocking, person},
    peer::Peer,
    status,
};
use crate::live::{
    capture::{Capture, CaptureHandle},
    responder::{Responder, ResponderHandle},
};
use sensor_common::layer7::Protocol;
use sensor_evidence::{
    audit::{self, JournalError},
    report::incident::{
        Collected, Evidence, Facts, Incident, LEAD, RuleNow, Seal, contacts, joined,
    },
    store::{Reader, StoreError},
};
use sensor_facts::{
    alert::Alert, clock, contact::Contact, event::Event, incident::Incident as Whole, rule::Actor,
    time::Time,
};
use sensor_sessions::{inventory::HostReport, pipeline::FlowSnapshot};

/// What was so long before the alert is looked at too, nanoseconds.
const BEFORE: i64 = 7 * DAY;
/// And so long after its end.
const AFTER: i64 = DAY;
const DAY: i64 = 86_400 * 1_000_000_000;
/// Alerts that are named to who asks for one that is not there.
const NAMED: usize = 5;

pub(super) fn router(capture: CaptureHandle, response: ResponderHandle) -> Router {
    Router::new()
        .route(&format!("{INCIDENT_REPORTS}/{{id}}"), get(incident))
        .with_state(capture)
        .layer(Extension(response))
}

async fn incident(
    State(capture): State<CaptureHandle>,
    Extension(response): Extension<ResponderHandle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(of): Path<String>,
    Params(how): Params<Reporting>,
) -> Result<Response, Failed> {
    let by = person(peer)?;
    let asked = Asked::read(&of)?;
    let decided = response.ask(Decided::of).await?;
    let seen = capture.ask(CaptureFacts::of).await?;
    let made = blocking(move || gather(asked, by, decided, seen).map(|facts| Incident::of(&facts)));
    let mut report = made.await??;
    report.pseudonymised = how.pseudonymise;
    let given = Given {
        what: asked.to_string(),
        items: 1,
        pseudonymised: how.pseudonymise,
    };
    Ok((Extension(given), Json(report)).into_response())
}

/// What the response thread knows.
struct Decided {
    now: Time,
    alerts: Vec<Alert>,
    incidents: Vec<Whole>,
    rules: Vec<RuleNow>,
    folder: PathBuf,
}

impl Decided {
    fn of(responder: &mut Responder) -> Self {
        let keeper = responder.keeper();
        let rules = keeper.reports().into_iter().map(|one| RuleNow {
            id: one.rule.id,
            packets: one.hits.packets,
            bytes: one.hits.bytes,
            effect: one.effect,
        });
        Self {
            now: keeper.time(),
            rules: rules.collect(),
            alerts: responder.analysis().alerts().all().cloned().collect(),
            incidents: responder.analysis().incidents().all().cloned().collect(),
            folder: responder.folder().to_owned(),
        }
    }
}

/// What the capture thread knows: copies, of which events are made elsewhere.
struct CaptureFacts {
    hosts: Vec<HostReport>,
    flows: Vec<FlowSnapshot>,
    sessions: Vec<Event>,
    start: Time,
    warnings: Vec<String>,
}

impl CaptureFacts {
    fn of(capture: &mut Capture) -> Self {
        let snapshot = capture.snapshot();
        let pipeline = capture.pipeline();
        let warnings = status::blind(&snapshot);
        let protocols = Protocol::ALL.iter();
        let sessions = protocols.flat_map(|protocol| pipeline.sessions(*protocol));
        Self {
            hosts: pipeline.hosts(),
            flows: pipeline
                .live_flows()
                .chain(pipeline.recent_flows())
                .cloned()
                .collect(),
            sessions: sessions.collect(),
            start: snapshot.start,
            warnings,
        }
    }
}

/// What the store knows.
#[derive(Default)]
struct Stored {
    alerts: Vec<Alert>,
    contacts: Vec<Contact>,
    sessions: Vec<Event>,
    hosts: Vec<HostReport>,
    missing: Vec<String>,
}

/// All that the report is made of; waits for the disk.
fn gather(asked: Asked, by: Actor, decided: Decided, seen: CaptureFacts) -> Result<Facts, Failed> {
    let Decided {
        now,
        alerts,
        incidents,
        rules,
        folder,
    } = decided;
    let reader = Reader::open(&folder);
    let incident = asked.incident(&incidents, reader.as_ref().ok());
    let id = asked.alert(incident.as_ref())?;
    let known = alerts.iter().find(|one| one.id == id).cloned();
    let kept = || reader.as_ref().ok()?.alert(id).ok()?;
    let alert = known.or_else(kept).ok_or_else(|| unknown(id, &alerts))?;
    let whole = incident.as_ref();
    let opened = whole.map_or(alert.opened, |it| it.opened.min(alert.opened));
    let from = Time(opened.0 - BEFORE);
    let end = match whole {
        Some(it) => it.end.as_ref().map_or(now, |_| it.updated),
        None => alert.closed.unwrap_or(now),
    };
    let until = Time(end.0.saturating_add(AFTER).min(now.0));
    let mut stored = match &reader {
        Ok(reader) => Stored::read(reader, opened, from, until)
            .unwrap_or_else(|error| Stored::missing(&error, seen.start)),
        Err(error) => Stored::missing(error, seen.start),
    };
    let split = Time(opened.0 - LEAD);
    let timebase = clock::timebase();
    let flows: Vec<Event> = seen.flows.iter().map(|one| one.event(timebase)).collect();
    let lately = contacts(&flows, split);
    let within = |one: &Contact| one.last >= from && one.first <= until;
    let mut contacts = joined(stored.contacts, lately, split);
    contacts.retain(within);
    stored.sessions.extend(seen.sessions);
    stored
        .sessions
        .retain(|one| (from..=until).contains(&one.timestamp));
    let (trail, seal) = trail(&folder.join(audit::FILE), from, opened, until);
    let mut missing = stored.missing;
    missing.extend(seen.warnings.iter().map(|warning| {
        format!("What was not seen at all: {warning}. That is since the daemon's start, not only in the time of the incident.")
    }));
    let others = alerts.into_iter().chain(stored.alerts);
    Ok(Facts {
        made: now,
        by,
        alerts: distinct(others, &alert, from, until),
        alert,
        incident,
        evidence: Evidence {
            since: contacts.iter().map(|one| one.first).min(),
            wanted: from,
            missing,
        },
        contacts,
        sessions: stored.sessions,
        hosts: hosts(seen.hosts, stored.hosts),
        trail,
        rules,
        seal,
    })
}

impl Stored {
    fn read(reader: &Reader, opened: Time, from: Time, until: Time) -> Result<Self, StoreError> {
        // The store counts by the hour: so hours before that of the alert stay apart.
        let split = Time(opened.0 - LEAD);
        let mut contacts = reader.contacts(from..hour(split))?;
        contacts.extend(reader.contacts(hour(split)..Time(until.0 + 1))?);
        Ok(Self {
            alerts: reader.alerts(from..Time(until.0 + 1))?,
            contacts,
            sessions: reader.sessions(from..Time(until.0 + 1), None)?,
            hosts: reader.devices()?,
            missing: losses(&reader.statistics(opened..Time(until.0 + 1))?),
        })
    }

    /// The memory of the capture has to do.
    fn missing(error: &StoreError, start: Time) -> Self {
        Self {
            missing: vec![format!(
                "Contacts and sessions that the daemon has forgotten: there is no store to read ({error}), so the last ones in its \
                 memory, since its start at {}, had to do.",
                sensor_facts::words::utc_moment(start)
            )],
            ..Self::default()
        }
    }
}

/// The begin of its hour.
const fn hour(time: Time) -> Time {
    const HOUR: i64 = 3_600 * 1_000_000_000;
    Time(time.0.div_euclid(HOUR) * HOUR)
}

/// What the counters say was lost between the first and the last of them.
fn losses(statistics: &[(Time, std::collections::BTreeMap<String, u64>)]) -> Vec<String> {
    const COUNTERS: [(&str, &str); 4] = [
        ("ring_lost", "events that the ring buffer did not take"),
        ("chunks_lost", "pieces of clinical sessions"),
        (
            "output_store_dropped_queue_full",
            "events that the store's queue did not take",
        ),
        (
            "output_store_dropped_write_error",
            "events that the store could not write",
        ),
    ];
    let rise = |name: &str| -> u64 {
        let at = |one: &(Time, std::collections::BTreeMap<String, u64>)| {
            one.1.get(name).copied().unwrap_or(0)
        };
        // A counter that fell began anew.
        statistics
            .windows(2)
            .map(|pair| at(&pair[1]).saturating_sub(at(&pair[0])))
            .sum()
    };
    COUNTERS
        .iter()
        .filter_map(|(name, what)| match rise(name) {
            0 => None,
            lost => Some(format!("{lost} {what}, lost in the time of the incident.")),
        })
        .collect()
}

/// The other alerts of the time, each once; those of the memory are the newer ones.
fn distinct(all: impl Iterator<Item = Alert>, but: &Alert, from: Time, until: Time) -> Vec<Alert> {
    let mut others: Vec<Alert> = Vec::new();
    for one in all {
        let is_new = one.id != but.id && others.iter().all(|other| other.id != one.id);
        if is_new && one.opened >= from && one.opened <= until {
            others.push(one);
        }
    }
    others.sort_by_key(|one| (one.opened, one.id));
    others
}

/// Hosts in memory, and those that only the store has.
fn hosts(mut lately: Vec<HostReport>, stored: Vec<HostReport>) -> Vec<HostReport> {
    let known: std::collections::HashSet<_> = lately.iter().map(|one| one.address).collect();
    lately.extend(
        stored
            .into_iter()
            .filter(|one| !known.contains(&one.address)),
    );
    lately.sort_by_key(|one| one.address);
    lately
}

/// The trail's part, and what its chain and checkpoints say.
fn trail(path: &std::path::Path, from: Time, opened: Time, until: Time) -> (Collected, Seal) {
    let (collected, verified) = audit::verify_settled(
        path,
        None,
        || Collected::between(from, opened, until),
        Collected::take,
    );
    let seal = match verified {
        Ok((summary, checkpoints)) => Seal {
            entries: summary.entries,
            head: summary.head,
            signed: checkpoints.last(),
            key: checkpoints.key,
            flaw: None,
        },
        Err(error) => chain(path, &error),
    };
    (collected, seal)
}

/// What the chain alone says.
fn chain(path: &std::path::Path, flaw: &JournalError) -> Seal {
    let summary = audit::read(path, |_| {}).ok();
    Seal {
        entries: summary.as_ref().map_or(0, |one| one.entries),
        head: summary.map(|one| one.head).unwrap_or_default(),
        flaw: Some(flaw.to_string()),
        ..Seal::default()
    }
}

fn unknown(id: u64, alerts: &[Alert]) -> Failed {
    let last: Vec<String> = alerts
        .iter()
        .take(NAMED)
        .map(|one| one.id.to_string())
        .collect();
    let which = if last.is_empty() {
        "there was none so far".to_owned()
    } else {
        format!(
            "the last ones are {}; `wardtap alerts list` shows them",
            last.join(", ")
        )
    };
    Failed::missing(&format!("there is no alert {id}: {which}"))
}
