//! `wardtap search`.

use std::{path::Path, process::ExitCode};

use clap::Args;
use sensor_analysis::alert::Exception;
use sensor_evidence::audit::Entry;
use sensor_facts::{alert::Alert, incident::Incident, time::Time};
use sensor_sessions::inventory::HostReport;
use serde::de::DeserializeOwned;

use super::{Shown, Under, output::print_json, print, rows::rows, table::local};
use crate::{
    control::{
        api::{
            self, ALERTS, AUDIT, DEVICES, EXCEPTIONS, INCIDENTS, LIMIT_MAX, PROTECTED, Page,
            ProtectedEntry, Query, RULES, RuleView,
        },
        client,
    },
    list::Hit,
};

const EXAMPLES: &str = "\
Examples:
  wardtap search 10.77.1.10
  wardtap search ORTHANC
  wardtap search 'change 4711' --json";

/// Look for a text in devices, alerts, incidents, exceptions, rules, protected devices and the audit trail
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SearchArgs {
    /// What to look for: an address, a name, an AE title, a word; small letters and capitals are the same
    text: String,
    /// Hits of each kind at most, up to 1000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=LIMIT_MAX as u64))]
    limit: u64,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
}

pub(super) fn run(socket: &Path, args: &SearchArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!args.text.trim().is_empty(), "name something to look for");
    let mut search = Search {
        socket,
        query: Query {
            text: Some(args.text.trim().to_owned()),
            limit: usize::try_from(args.limit).unwrap_or(LIMIT_MAX),
            pseudonymise: args.under.pseudonymise,
            ..Query::default()
        },
        hits: Vec::new(),
        more: Vec::new(),
    };
    search.page(DEVICES, "devices", of_host)?;
    search.page(ALERTS, "alerts", of_alert)?;
    search.page(INCIDENTS, "incidents", of_incident)?;
    search.page(EXCEPTIONS, "exceptions", of_exception)?;
    search.page(RULES, "rules", of_rule)?;
    search.page(PROTECTED, "protected devices", of_protected)?;
    // The trail gives its last entries without counting the others.
    let entries: Vec<Entry> = client::get(socket, &api::target(AUDIT, &search.query))?;
    search.hits.extend(entries.iter().rev().map(of_entry));
    if args.shown.json {
        print_json(&search.hits)?;
    } else if search.hits.is_empty() {
        print(&format!(
            "{:?} is in no device, alert, incident, exception, rule or entry of the audit trail\n",
            args.text
        ))?;
    } else {
        print(&rows(&search.hits, &[]))?;
        for more in &search.more {
            print(more)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Search<'a> {
    socket: &'a Path,
    query: Query,
    hits: Vec<Hit>,
    more: Vec<String>,
}

impl Search<'_> {
    fn page<T: DeserializeOwned>(
        &mut self,
        path: &str,
        what: &str,
        hit: fn(&T) -> Hit,
    ) -> anyhow::Result<()> {
        let page: Page<T> = client::get(self.socket, &api::target(path, &self.query))?;
        self.hits.extend(page.items.iter().map(hit));
        if page.total > page.items.len() {
            let (shown, total) = (page.items.len(), page.total);
            self.more
                .push(format!("{shown} of {total} {what}; --limit shows more\n"));
        }
        Ok(())
    }
}

fn hit(kind: &str, id: String, what: String, command: String) -> Hit {
    Hit {
        kind: kind.to_owned(),
        id,
        what,
        command,
    }
}

fn of_host(host: &HostReport) -> Hit {
    let names = host.names.iter().map(|one| one.name.clone());
    let titles = host.ae_titles.iter().map(|one| one.title.clone());
    let role = host.role.role.label().to_owned();
    let what: Vec<String> = std::iter::once(role).chain(names).chain(titles).collect();
    hit(
        "device",
        host.address.to_string(),
        what.join(", "),
        format!("wardtap devices show {}", host.address),
    )
}

fn of_alert(alert: &Alert) -> Hit {
    hit(
        "alert",
        alert.id.to_string(),
        format!("{} {}: {}", alert.severity, alert.device, alert.title),
        format!("wardtap alerts show {}", alert.id),
    )
}

fn of_incident(one: &Incident) -> Hit {
    hit(
        "incident",
        format!("I{}", one.id),
        format!("{}: {}", one.severity, one.title),
        format!("wardtap incidents show I{}", one.id),
    )
}

fn of_exception(one: &Exception) -> Hit {
    hit(
        "exception",
        one.id.to_string(),
        format!("{}: {}", one.whom, one.reason),
        "wardtap exceptions list".to_owned(),
    )
}

fn of_rule(view: &RuleView) -> Hit {
    let rule = &view.rule;
    hit(
        "rule",
        rule.id.to_string(),
        format!("{} {}: {}", rule.state.label(), rule.target, rule.reason),
        "wardtap rules list".to_owned(),
    )
}

fn of_protected(entry: &ProtectedEntry) -> Hit {
    hit(
        "protected",
        entry.what.to_string(),
        entry.reason.clone(),
        "wardtap protect list".to_owned(),
    )
}

/// The command for the entries of a second: times with fractions are wider than a column of a terminal.
fn at_second(time: Time) -> String {
    const SECOND: i64 = 1_000_000_000;
    let begin = Time(time.0.div_euclid(SECOND) * SECOND);
    let end = Time(begin.0.saturating_add(SECOND));
    let text = |time: Time| time.to_string().replace(".000000Z", "Z");
    format!(
        "wardtap audit show --since {} --until {}",
        text(begin),
        text(end)
    )
}

fn of_entry(entry: &Entry) -> Hit {
    hit(
        "audit",
        entry.seq.to_string(),
        format!("{} {}: {}", local(entry.time), entry.actor, entry.action),
        at_second(entry.time),
    )
}
