//! What was done: alerts and their answers, containment, changes, exports, and the trail of all that.

use super::{
    ACTIVITY_REVIEW, AUDIT_CONTROLS, DOCUMENTATION, EVALUATION, INCIDENTS, MALICIOUS_SOFTWARE,
    TIME_LIMIT, acts, rows,
};
use crate::report::{
    Section, Table, Tone,
    compliance::{Compliance, Incident, Incidents},
};
use sensor_facts::{
    action::{ChangedKey, ConfigurationChange},
    time::Time,
    words::{count, span, utc_moment},
};

pub(super) fn incidents(incidents: &Incidents) -> Section {
    let serves = [INCIDENTS, MALICIOUS_SOFTWARE, ACTIVITY_REVIEW];
    let mut section = Section::new("Alerts and how they were answered", &serves);
    section.text(format!(
        "{} alerts: {} labelled malicious, {} benign, {} not labelled.",
        count(incidents.alerts.len() as u64),
        count(incidents.malicious),
        count(incidents.benign),
        count(incidents.unlabelled)
    ));
    let severities = incidents.severities.iter();
    section.list(severities.map(|(severity, number)| format!("{severity}: {}", count(*number))));
    let mut table = Table::new(
        "Time from the first finding; half of the alerts that got so far needed less",
        &["to", "median"],
    );
    let medians = [
        ("the policy's decision", incidents.median_to_decision),
        ("the first rule that drops", incidents.median_to_containment),
        ("a rule that is seen to work", incidents.median_to_effect),
        ("a person's label", incidents.median_to_label),
    ];
    for (what, median) in medians {
        table.row([
            what.to_owned(),
            median.map_or_else(|| "-".to_owned(), within),
        ]);
    }
    section.table(table);
    let table = Table::new(
        "Each alert, with the time from its first finding",
        &[
            "alert",
            "device",
            "severity",
            "what",
            "first finding",
            "decision",
            "contained",
            "effective",
            "lifted",
            "label",
        ],
    );
    rows(&mut section, table, &incidents.alerts, alert);
    section
}

fn alert(one: &Incident) -> Vec<String> {
    let after = |time: Option<Time>| {
        time.map_or_else(
            || "-".to_owned(),
            |time| {
                #[expect(clippy::cast_precision_loss, reason = "it is shown to the millisecond")]
                let seconds = (time.0.saturating_sub(one.opened.0).max(0) / 1_000_000) as f64 / 1e3;
                format!("after {}", within(seconds))
            },
        )
    };
    let decision = match &one.verdict {
        Some(verdict) => format!("{} {}", verdict.replace('_', " "), after(one.decided)),
        None => "-".to_owned(),
    };
    let label = match &one.label {
        Some(label) => format!("{label} {}", after(one.labelled)),
        None => "-".to_owned(),
    };
    vec![
        one.id.to_string(),
        one.device.to_string(),
        one.severity.clone(),
        one.title.clone(),
        utc_moment(one.opened),
        decision,
        after(one.contained),
        after(one.effective),
        after(one.lifted),
        label,
    ]
}

/// A time, with milliseconds where it is short.
fn within(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.3}s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and shorter than a lifetime"
    )]
    let whole = seconds as u64;
    span(whole)
}

pub(super) fn containment(report: &Compliance) -> Section {
    let mut section = Section::new("Containment, and who decided", &[INCIDENTS, AUDIT_CONTROLS]);
    let decisions = report.acts.decisions.iter();
    let decisions: Vec<String> = decisions
        .map(|(verdict, number)| format!("{}: {}", verdict.replace('_', " "), count(*number)))
        .collect();
    if decisions.is_empty() {
        section.text("The policy had nothing to decide.");
    } else {
        section.text("Decisions of the policy:");
        section.list(decisions);
    }
    acts(&mut section, "Rules", &report.acts.containment);
    acts(
        &mut section,
        "The never-block list",
        &report.acts.protections,
    );
    acts(&mut section, "Asked for and refused", &report.acts.refusals);
    section
}

pub(super) fn labels(report: &Compliance) -> Section {
    let mut section = Section::new("What people said of alerts", &[ACTIVITY_REVIEW, INCIDENTS]);
    section.text(format!(
        "{} of the alerts of this time were labelled benign: false alarms.",
        count(report.incidents.benign)
    ));
    acts(
        &mut section,
        "Labels given in this time",
        &report.acts.labels,
    );
    section
}

pub(super) fn changes(report: &Compliance) -> Section {
    let mut section = Section::new("Changes of the sensor", &[EVALUATION, AUDIT_CONTROLS]);
    let all = &report.acts;
    if all.configurations.is_empty() && all.models.is_empty() {
        section.text("Neither configuration nor model were changed.");
    }
    acts(
        &mut section,
        "Configurations, by BLAKE3",
        &all.configurations,
    );
    acts(&mut section, "Models, by SHA-256", &all.models);
    section
}

pub(super) fn configuration(report: &Compliance) -> Section {
    let serves = [EVALUATION, AUDIT_CONTROLS];
    let mut section = Section::new("Changes of configuration", &serves);
    let all = &report.acts.settings;
    if all.is_empty() {
        section.text("The configuration was neither changed nor read again.");
        return section;
    }
    let heads = [
        "time",
        "who",
        "what",
        "detectors off",
        "detectors on",
        "takes a restart",
        "entry",
    ];
    let table = Table::new("When it was read", &heads);
    rows(&mut section, table, all, |one| {
        let list = |of: fn(&ConfigurationChange) -> &Vec<String>| {
            one.change
                .as_ref()
                .map_or_else(String::new, |change| of(change).join(", "))
        };
        let what = match one.act.reason.as_str() {
            "" => one.act.what.clone(),
            why => format!("{}: {why}", one.act.what),
        };
        vec![
            utc_moment(one.act.time),
            one.act.by.clone(),
            what,
            list(|change| &change.detectors_off),
            list(|change| &change.detectors_on),
            list(|change| &change.restart),
            one.act.entry.to_string(),
        ]
    });
    let changed: Vec<(u64, &ChangedKey)> = all
        .iter()
        .filter_map(|one| Some((one.act.entry, one.change.as_ref()?)))
        .flat_map(|(entry, change)| change.changes.iter().map(move |key| (entry, key)))
        .collect();
    let heads = ["entry", "about", "key", "before", "after"];
    let table = Table::new("What changed", &heads);
    rows(&mut section, table, &changed, |(entry, one)| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        vec![
            entry.to_string(),
            one.concern.label().to_owned(),
            one.key.clone(),
            value(&one.old),
            value(&one.new),
        ]
    });
    let omitted: u64 = all
        .iter()
        .filter_map(|one| Some(one.change.as_ref()?.omitted))
        .sum();
    if omitted > 0 {
        section.text(format!(
            "{} changed keys are not listed, being too many.",
            count(omitted)
        ));
    }
    section
}

pub(super) fn exports(report: &Compliance) -> Section {
    let mut section = Section::new("What was given out", &[AUDIT_CONTROLS]);
    if report.acts.exports.is_empty() {
        section.text("Nothing was exported.");
    }
    acts(&mut section, "Exports and reports", &report.acts.exports);
    section
}

pub(super) fn trail(report: &Compliance) -> Section {
    let trail = &report.trail;
    let serves = [AUDIT_CONTROLS, DOCUMENTATION, TIME_LIMIT];
    let mut section = Section::new("The audit trail", &serves);
    match &trail.flaw {
        None => section.note(
            Tone::Good,
            "For this report each entry was verified: none was changed, removed or put elsewhere.",
        ),
        Some(flaw) => section.note(Tone::Bad, flaw),
    }
    let mut table = Table::new("State", &["what", "value"]);
    let dash = || "-".to_owned();
    table.row(["entries".to_owned(), count(trail.entries)]);
    table.row(["of these within the time".to_owned(), count(trail.within)]);
    table.row([
        "first entry".to_owned(),
        trail.first.map_or_else(dash, utc_moment),
    ]);
    table.row(["hash of the last".to_owned(), trail.head.clone()]);
    table.row(["signed to entry".to_owned(), trail.signed.to_string()]);
    table.row([
        "by the key".to_owned(),
        trail.key.clone().unwrap_or_else(dash),
    ]);
    section.table(table);
    section.text(
        "Compare the key with the one that is kept elsewhere: whoever can replace key and trail together could have \
         made both anew. The sensor never removes entries.",
    );
    section
}
