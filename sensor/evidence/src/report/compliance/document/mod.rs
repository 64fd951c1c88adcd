//! The report as people read it.

mod done;
mod seen;

use self::{
    done::{changes, configuration, containment, exports, incidents, labels, trail},
    seen::{coverage, exchanges, exposure, inventory, share},
};
use super::{Act, Compliance};
use crate::report::{Document, Section, Table, Tone};
use sensor_facts::words::{count, utc_moment};

/// Rows of a table; the JSON form has all.
const ROWS_MAX: usize = 200;

/// Paragraphs of 45 CFR, by what they are about.
const RISK_ANALYSIS: &str = "45 CFR 164.308(a)(1)(ii)(A) risk analysis";
const ACTIVITY_REVIEW: &str = "45 CFR 164.308(a)(1)(ii)(D) information system activity review";
const MALICIOUS_SOFTWARE: &str = "45 CFR 164.308(a)(5)(ii)(B) protection from malicious software";
const INCIDENTS: &str = "45 CFR 164.308(a)(6)(ii) response and reporting";
const EVALUATION: &str = "45 CFR 164.308(a)(8) evaluation";
const AUDIT_CONTROLS: &str = "45 CFR 164.312(b) audit controls";
const AUTHENTICATION: &str = "45 CFR 164.312(d) person or entity authentication";
const TRANSMISSION: &str = "45 CFR 164.312(e)(1) transmission security";
const ENCRYPTION: &str = "45 CFR 164.312(e)(2)(ii) encryption";
const DOCUMENTATION: &str = "45 CFR 164.316(b)(1)(ii) documentation";
const TIME_LIMIT: &str = "45 CFR 164.316(b)(2)(i) time limit: six years";

/// What a network sensor can't know, whoever reads the report.
const LIMITS: [&str; 8] = [
    "It shows what was seen on the network. What never went by a listened interface, or was inside of an encrypted connection, was not seen.",
    "Devices are told by address; one that was silent, or is behind a router or address translation, may be missing or stand for several.",
    "Roles are inferred from what devices do, with the confidence that is shown; nobody declared them.",
    "That a connection is DICOM or HL7 over TLS is taken from its port. What goes through other encrypted connections is unknown.",
    "It does not see who works at a device, nor accounts, patches, disks, doors, contracts, training or backups: administrative and physical safeguards are outside of its sight.",
    "An alert is a suspicion. Without a person's label it is not known whether there was an incident, and no report of this program says that there was a breach.",
    "Containment times are measured from the first finding, not from when an attacker began.",
    "Persons are the users of the sensor's host at whose socket something was asked for; who sat there is not known.",
];

/// Shows the report. It states what is there, and judges nothing.
#[must_use]
pub fn document(report: &Compliance) -> Document {
    let since = utc_moment(report.since);
    let until = utc_moment(report.until);
    let title = format!("What was seen and done from {since} to {until}");
    let mut document = Document::new("Evidence for a compliance review", title);
    document.notices.push(
        "This report states evidence. Whether a safeguard meets the rule is for people to judge."
            .into(),
    );
    if report.pseudonymised {
        let notice = "Addresses and names are pseudonyms under the site's key.";
        document.notices.push(notice.into());
    }
    for missing in &report.missing {
        document.notices.push(format!("Missing: {missing}").into());
    }
    facts(&mut document, report);
    document.sections = vec![
        coverage(&report.coverage),
        inventory(report),
        exchanges(&report.exchanges),
        incidents(&report.incidents),
        containment(report),
        labels(report),
        exposure(report),
        changes(report),
        configuration(report),
        exports(report),
        trail(report),
        limits(),
    ];
    document.made = format!(
        "Made by wardtap {} on {}",
        report.version,
        utc_moment(report.time)
    )
    .into();
    document
}

fn facts(document: &mut Document, report: &Compliance) {
    let coverage = &report.coverage;
    let (tone, share) = if coverage.gaps.is_empty() {
        (Tone::Good, "all of the time".to_owned())
    } else {
        let gaps = coverage.gaps.len();
        (Tone::Open, format!("{}; gaps: {gaps}", share(coverage)))
    };
    document.fact("Listened", share, tone);
    let exchanges = &report.exchanges;
    let clear = format!(
        "{} of {} pairs",
        count(exchanges.clear),
        count(exchanges.clear + exchanges.encrypted)
    );
    let tone = if exchanges.clear == 0 {
        Tone::Good
    } else {
        Tone::Open
    };
    document.fact("Clinical data in clear text", clear, tone);
    let incidents = &report.incidents;
    let alerts = incidents.alerts.len() as u64;
    let tone = if incidents.unlabelled == 0 {
        Tone::Good
    } else {
        Tone::Open
    };
    let text = format!(
        "{}, {} without a label",
        count(alerts),
        count(incidents.unlabelled)
    );
    document.fact("Alerts", text, tone);
    let (text, tone) = match &report.trail.flaw {
        None => ("whole", Tone::Good),
        Some(_) => ("not shown to be whole", Tone::Bad),
    };
    document.fact("Audit trail", text, tone);
}

/// As many rows as a page bears; says how many more there are.
fn rows<T>(section: &mut Section, mut table: Table, all: &[T], row: impl Fn(&T) -> Vec<String>) {
    for one in all.iter().take(ROWS_MAX) {
        table.row(row(one));
    }
    section.table(table);
    let more = all.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        section.text(format!(
            "{} more are in the JSON form of this report.",
            count(more as u64)
        ));
    }
}

fn acts(section: &mut Section, caption: &str, all: &[Act]) {
    let table = Table::new(caption, &["time", "who", "what", "why", "entry"]);
    rows(section, table, all, |one| {
        vec![
            utc_moment(one.time),
            one.by.clone(),
            one.what.clone(),
            one.reason.clone(),
            one.entry.to_string(),
        ]
    });
}

fn limits() -> Section {
    let mut section = Section::new("What the sensor can't know", &[EVALUATION]);
    section.list(LIMITS);
    section
}
