//! The report as people read it.

use super::{Act, Compliance, Coverage, Exchange, Exchanges, Incident, Incidents};
use crate::{
    exposure::Exposed,
    report::{Document, Section, Table, Tone},
    words::{bytes, count, span, utc_moment},
};

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
        (Tone::Open, format!("{}, {gaps} gaps", share(coverage)))
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

#[expect(clippy::cast_precision_loss, reason = "it is a share")]
fn share(coverage: &Coverage) -> String {
    let share = coverage.listened_seconds as f64 / (coverage.seconds.max(1)) as f64;
    // Rounded down: what has a gap is never "100 %".
    format!("{:.2} % of the time", (share * 10_000.0).floor() / 100.0)
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

fn coverage(coverage: &Coverage) -> Section {
    let mut section = Section::new("Coverage", &[AUDIT_CONTROLS, ACTIVITY_REVIEW]);
    section.text(format!(
        "A daemon listened for {} of {}: {}.",
        span(coverage.listened_seconds),
        span(coverage.seconds),
        share(coverage)
    ));
    let table = Table::new("Times without a daemon", &["from", "to", "for", "why"]);
    rows(&mut section, table, &coverage.gaps, |gap| {
        vec![
            utc_moment(gap.since),
            utc_moment(gap.until),
            crate::words::between(gap.since, gap.until),
            gap.why.clone(),
        ]
    });
    let table = Table::new(
        "Runs of the daemon",
        &[
            "from",
            "to",
            "ended",
            "version",
            "interfaces",
            "configuration",
        ],
    );
    rows(&mut section, table, &coverage.runs, |run| {
        vec![
            utc_moment(run.since),
            run.until.map_or_else(|| "goes on".to_owned(), utc_moment),
            if run.orderly {
                "in order"
            } else {
                "without a last word"
            }
            .to_owned(),
            run.version.clone(),
            run.interfaces.join(", "),
            short(&run.config),
        ]
    });
    let (Some(since), Some(until)) = (coverage.counted_since, coverage.counted_until) else {
        section.note(Tone::Open, "No counters were kept of this time.");
        return section;
    };
    let packets = coverage.counters.get("packets").copied().unwrap_or(0);
    section.text(format!(
        "From {} to {} {} packets were counted; what of them or of their evaluation was lost or left out:",
        utc_moment(since),
        utc_moment(until),
        count(packets)
    ));
    let table = Table::new("Losses by cause", &["cause", "how many", "counter"]);
    rows(&mut section, table, &coverage.losses, |loss| {
        vec![loss.what.clone(), count(loss.count), loss.counter.clone()]
    });
    section
}

fn inventory(report: &Compliance) -> Section {
    let inventory = &report.inventory;
    let mut section = Section::new("Devices", &[RISK_ANALYSIS]);
    section.text(format!(
        "{} devices of the site were seen, {} of them for the first time.",
        count(inventory.devices),
        count(inventory.new)
    ));
    let roles = inventory.roles.iter();
    section.list(roles.map(|(role, number)| format!("{role}: {}", count(*number))));
    let table = Table::new(
        "Devices that handle clinical data, by role or by what they spoke",
        &[
            "address",
            "name",
            "role",
            "confidence",
            "DICOM",
            "HL7",
            "TLS",
        ],
    );
    rows(&mut section, table, &inventory.clinical, |one| {
        let clear = |it: bool| if it { "in clear text" } else { "-" }.to_owned();
        vec![
            one.address.to_string(),
            one.host_name.clone().unwrap_or_else(|| "-".to_owned()),
            one.role.label().to_owned(),
            format!("{:.2}", one.confidence),
            clear(one.clear_dicom),
            clear(one.clear_hl7),
            if one.tls { "seen" } else { "-" }.to_owned(),
        ]
    });
    section
}

fn exchanges(exchanges: &Exchanges) -> Section {
    let serves = [RISK_ANALYSIS, TRANSMISSION, ENCRYPTION];
    let mut section = Section::new("Where clinical data goes", &serves);
    section.text(format!(
        "{} pairs of devices exchanged DICOM or HL7 in clear text, {} over TLS at a port of these protocols.",
        count(exchanges.clear),
        count(exchanges.encrypted)
    ));
    let table = Table::new(
        "Pairs, those with the most bytes first",
        &[
            "from",
            "to",
            "port",
            "protocol",
            "encrypted",
            "connections",
            "bytes",
            "last seen",
        ],
    );
    rows(&mut section, table, &exchanges.pairs, pair);
    if exchanges.omitted > 0 {
        let omitted = count(exchanges.omitted);
        section.note(
            Tone::Open,
            format!("{omitted} pairs are left out, being too many."),
        );
    }
    section
}

fn pair(one: &Exchange) -> Vec<String> {
    let dash = || "-".to_owned();
    let protocol = if one.app == "dicom" { "DICOM" } else { "HL7" };
    vec![
        one.client.to_string(),
        one.server.to_string(),
        one.port.map_or_else(dash, |port| port.to_string()),
        protocol.to_owned(),
        if one.encrypted { "likely" } else { "no" }.to_owned(),
        one.flows.map_or_else(dash, count),
        one.bytes.map_or_else(dash, bytes),
        one.last.map_or_else(dash, utc_moment),
    ]
}

fn incidents(incidents: &Incidents) -> Section {
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
    let after = |time: Option<crate::event::Time>| {
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

fn containment(report: &Compliance) -> Section {
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

fn labels(report: &Compliance) -> Section {
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

fn exposure(report: &Compliance) -> Section {
    let exposure = &report.exposure;
    let serves = [RISK_ANALYSIS, AUTHENTICATION, TRANSMISSION];
    let mut section = Section::new("What to fix first", &serves);
    section.text(format!(
        "{} of {} devices have a weakness that was seen. The most exposed:",
        count(exposure.weak),
        count(exposure.devices)
    ));
    let table = Table::new("By score", &["score", "device", "role", "sum", "weak by"]);
    rows(&mut section, table, &exposure.top, exposed);
    acts(&mut section, "Advisories and baselines", &report.acts.other);
    section
}

fn exposed(one: &Exposed) -> Vec<String> {
    let name = one.host_name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let weak = one.weaknesses.iter();
    let weak: Vec<String> = weak
        .map(|it| format!("{}: {}", it.kind.label(), it.evidence))
        .collect();
    vec![
        one.score.to_string(),
        format!("{}{name}", one.address),
        one.role.label().to_owned(),
        one.sum.clone(),
        weak.join("; "),
    ]
}

fn changes(report: &Compliance) -> Section {
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

fn exports(report: &Compliance) -> Section {
    let mut section = Section::new("What was given out", &[AUDIT_CONTROLS]);
    if report.acts.exports.is_empty() {
        section.text("Nothing was exported.");
    }
    acts(&mut section, "Exports and reports", &report.acts.exports);
    section
}

fn trail(report: &Compliance) -> Section {
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

fn limits() -> Section {
    let mut section = Section::new("What the sensor can't know", &[EVALUATION]);
    section.list(LIMITS);
    section
}

/// As much of a hash as people read.
fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
