//! The dates that the Breach Notification Rule (45 CFR part 164 subpart D) and the Security Rule (subpart C) ask about.
//! They are counted, and nothing is declared.

use jiff::{
    Span, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use sensor_facts::{
    time::Time,
    words::{bytes, utc_moment},
};
use serde::{Deserialize, Serialize};

use super::{Contained, Facts, Incident, exchange::Exchange, scope::Scope};

/// 164.404(b): calendar days after discovery.
const NOTICE: i64 = 60;
/// 164.408(c): days after the end of the year of discovery.
const YEARLY: i64 = 60;
/// 164.316(b)(2)(i): years that documents are kept.
const KEPT: i16 = 6;

/// A factor of 164.402, definition of breach, paragraph (2), and what this report has to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// The paragraph.
    pub paragraph: String,
    /// What it asks.
    pub asks: String,
    /// What was seen.
    pub seen: String,
}

/// Dates, as year-month-day in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// The first finding: from here on the incident could have been known.
    pub discovered: Time,
    /// Its day.
    pub discovered_on: String,
    /// Nobody was told of the alert, since the day's budget was used up: known it was when someone read it.
    pub suppressed: bool,
    /// The last day for notices to individuals, and with 500 or more of them to the Secretary and the media.
    pub notice_by: String,
    /// The last day for the notice to the Secretary of breaches of fewer than 500 people.
    pub yearly_by: String,
    /// This report is kept at least so long.
    pub keep_until: String,
    /// What the risk assessment asks.
    pub factors: Vec<Factor>,
}

pub(super) fn day(time: Time) -> Date {
    Timestamp::from_nanosecond(i128::from(time.0))
        .unwrap_or_default()
        .to_zoned_datetime(TimeZone::UTC)
        .date()
}

pub(super) fn of(facts: &Facts, scope: &Scope<'_>) -> Dates {
    let discovered = day(scope.begin);
    let year_end = date(discovered.year(), 12, 31);
    let later = |day: Date, span| day.saturating_add(span).to_string();
    Dates {
        discovered: scope.begin,
        discovered_on: discovered.to_string(),
        suppressed: scope.alerts.iter().all(|one| one.suppressed),
        notice_by: later(discovered, Span::new().days(NOTICE)),
        yearly_by: later(year_end, Span::new().days(YEARLY)),
        keep_until: later(day(facts.made), Span::new().years(KEPT)),
        factors: Vec::new(),
    }
}

/// What the report says of each factor.
pub(super) fn factors(incident: &Incident) -> Vec<Factor> {
    let factor = |paragraph: &str, asks: &str, seen: String| Factor {
        paragraph: format!("45 CFR 164.402 (breach)(2)({paragraph})"),
        asks: asks.to_owned(),
        seen,
    };
    vec![
        factor(
            "i",
            "nature and extent of the information",
            nature(incident),
        ),
        factor("ii", "the unauthorised person", person(incident)),
        factor(
            "iii",
            "whether it was acquired or viewed",
            acquired(incident),
        ),
        factor("iv", "how far the risk was mitigated", mitigated(incident)),
    ]
}

fn nature(incident: &Incident) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for one in &incident.exchanges {
        let clear = if one.clear_text {
            "clear text"
        } else {
            "encrypted"
        };
        let kind = format!("{} ({clear})", one.protocol);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() {
        return "No DICOM, HL7 or TLS between a suspect and another system was seen.".to_owned();
    }
    format!(
        "{} went between suspects and other systems. The sensor holds no patient data: whose, and which identifiers, the logs of those systems say.",
        kinds.join(", ")
    )
}

fn person(incident: &Incident) -> String {
    let Some(zero) = &incident.patient_zero else {
        return "Not known: no device is suspected.".to_owned();
    };
    format!(
        "Device {} ({}). Who used it the sensor can't know.",
        zero.address,
        zero.role.label()
    )
}

fn acquired(incident: &Incident) -> String {
    let clear = incident.exchanges.iter().filter(|one| one.clear_text);
    let (usual, other): (Vec<_>, Vec<_>) = clear.partition(|one| one.usual);
    let sum = |some: &[&Exchange]| -> u64 { some.iter().map(|one| one.bytes_to_suspect).sum() };
    let (usual, other) = (sum(&usual), sum(&other));
    if usual + other > 0 {
        let ordinary = match usual {
            0 => String::new(),
            some => format!(
                " {} of it came from systems that they used before too, which may be ordinary work.",
                bytes(some)
            ),
        };
        return format!(
            "Suspects received {} of DICOM data sets and HL7 messages.{ordinary} Whether anyone viewed them the sensor can't know.",
            bytes(usual + other)
        );
    }
    let encrypted = incident.exchanges.iter().any(|one| !one.clear_text);
    if encrypted {
        return "No data set or message in clear text to a suspect was seen; what went inside TLS is not known.".to_owned();
    }
    "No data set or message to a suspect was seen. Other protocols are in the table of contacts, by bytes.".to_owned()
}

fn mitigated(incident: &Incident) -> String {
    let held: Vec<String> = incident
        .containment
        .suspects
        .iter()
        .map(|one| format!("{}: {}", one.address, one.state.label()))
        .collect();
    let first = incident
        .containment
        .rules
        .iter()
        .filter_map(|rule| rule.enforced)
        .min();
    let since = first.map_or_else(String::new, |time| {
        format!(" The first rule was in force at {}.", utc_moment(time))
    });
    let gone = "What a suspect had received by then it may still have.";
    if held.is_empty() {
        return "No device is suspected, so none was contained.".to_owned();
    }
    let all = &incident.containment.suspects;
    let gone = if all.iter().all(|one| one.state == Contained::No) {
        ""
    } else {
        gone
    };
    format!("{}.{since} {gone}", held.join("; "))
        .trim_end()
        .to_owned()
}
