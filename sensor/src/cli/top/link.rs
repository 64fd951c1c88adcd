//! What asks the daemon, on a thread of its own: the terminal never waits for it.

use std::{
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use sensor_facts::{alert::Alert, rule::RuleId};
use sensor_sessions::inventory::HostReport;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::app::Tab;
use crate::{
    cli::plain::{make_plain, plain},
    control::{
        api::{self, ALERTS, Added, DEVICES, Page, Query, RULES, Reason, RuleView, STATUS, Status},
        client::{self, ClientError},
    },
};

/// Time between two looks.
pub(super) const REFRESH: Duration = Duration::from_secs(1);
/// Alerts and rules that are asked for; the CLI's lists have the others.
const ITEMS: usize = 200;

/// What is wanted of the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// What this tab shows, from now on.
    Watch(Tab),
    /// A change of a rule.
    Change(Change),
}

/// What can be done with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Approve,
    Remove,
}

impl Verb {
    /// As in the request target.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Remove => "remove",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Remove => "removed",
        }
    }
}

/// A change of a rule, as a person wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) verb: Verb,
    pub(super) id: RuleId,
    pub(super) reason: String,
}

/// What the daemon says.
#[derive(Debug)]
pub(super) enum News {
    /// How things are.
    State(Box<DaemonState>),
    /// It gives no answer, and why.
    Gone(String),
    /// What came of a change, in words.
    Done(Result<String, String>),
}

/// How things are: the status, and the lists of the tab that is watched.
#[derive(Debug)]
pub(super) struct DaemonState {
    pub(super) status: Status,
    pub(super) devices: Option<Page<HostReport>>,
    pub(super) alerts: Option<Page<Alert>>,
    pub(super) rules: Option<Page<RuleView>>,
}

/// Looks each [`REFRESH`] and does what is asked in between, until nobody asks or listens any more.
pub(super) fn run(socket: &Path, asks: &Receiver<Ask>, tell: impl Fn(News) -> bool) {
    let mut tab = Tab::Overview;
    loop {
        let news = look(socket, tab).map_or_else(
            |error| News::Gone(plain(&error.to_string()).into_owned()),
            |seen| News::State(Box::new(seen)),
        );
        if !tell(news) {
            return;
        }
        let next = Instant::now() + REFRESH;
        match asks.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Ask::Watch(watched)) => tab = watched,
            Ok(Ask::Change(change)) => {
                if !tell(News::Done(change.make(socket))) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn look(socket: &Path, tab: Tab) -> Result<DaemonState, ClientError> {
    // The lists are made where packets and rules are worked on: only those that are looked at.
    let (devices, alerts, rules) = match tab {
        Tab::Overview | Tab::Model | Tab::Warnings => (false, false, false),
        // The alerts say who is suspected.
        Tab::Devices => (true, true, false),
        Tab::Alerts => (false, true, false),
        Tab::Rules => (false, false, true),
    };
    Ok(DaemonState {
        status: get(socket, STATUS)?,
        devices: list(socket, devices, DEVICES, api::LIMIT_MAX)?,
        alerts: list(socket, alerts, ALERTS, ITEMS)?,
        rules: list(socket, rules, RULES, ITEMS)?,
    })
}

fn list<T: DeserializeOwned>(
    socket: &Path,
    wanted: bool,
    path: &str,
    limit: usize,
) -> Result<Option<Page<T>>, ClientError> {
    let query = Query {
        limit,
        ..Query::default()
    };
    wanted
        .then(|| get(socket, &api::target(path, &query)))
        .transpose()
}

/// An answer, every text of which is fit for a terminal.
fn get<T: DeserializeOwned>(socket: &Path, target: &str) -> Result<T, ClientError> {
    let mut value: Value = client::get(socket, target)?;
    make_plain(&mut value);
    serde_json::from_value(value).map_err(|error| ClientError::NoAnswer {
        path: socket.to_owned(),
        why: error.to_string(),
    })
}

impl Change {
    fn make(&self, socket: &Path) -> Result<String, String> {
        let path = format!("{RULES}/{}/{}", self.id, self.verb.label());
        let reason = Reason {
            reason: self.reason.clone(),
        };
        let added: Added = client::post(socket, &path, &reason)
            .map_err(|error| plain(&error.to_string()).into_owned())?;
        let warning = added
            .warning
            .map_or_else(String::new, |warning| format!("; {}", plain(&warning)));
        Ok(format!("Rule {} {}{warning}", self.id, self.verb.done()))
    }
}
