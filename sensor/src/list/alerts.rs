//! Lists of alerts and of labelled alerts.

use sensor_analysis::alert::Case;
use sensor_facts::alert::{Alert, Verdict};

use super::{Column, Filter, Item, Subject, Value};

const FILTERS: &[Filter] = &[
    Filter::Device,
    Filter::Since,
    Filter::Until,
    Filter::Role,
    Filter::Severity,
    Filter::Detector,
    Filter::State,
    Filter::SiteOnly,
];

impl Item for Alert {
    const WHAT: &'static str = "alerts";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", 0, |it| Value::Number(it.id)),
        Column::new("severity", 0, severity),
        Column::new("device", 0, device),
        Column::text("what", 0, |it| Value::Text(it.title.clone())),
        Column::text("detectors", 4, |it| Value::list(detectors(it))),
        Column::new("confidence", 5, |it| {
            Value::Text(format!("{:3.0} %", it.confidence * 100.0))
        }),
        Column::new("opened", 2, |it| Value::Time(it.opened)),
        Column::new("updated", 6, |it| Value::Time(it.updated)),
        Column::text("state", 1, |it| Value::Text(states(it).join(", "))),
    ];
    const FILTERS: &'static [Filter] = FILTERS;
    const STATES: &'static [&'static str] = &[
        OPEN,
        CLOSED,
        SUPPRESSED,
        Verdict::Benign.label(),
        Verdict::Malicious.label(),
    ];

    fn subject(&self) -> Subject {
        let victims = self.findings.iter().flat_map(|one| &one.victims);
        Subject {
            addresses: std::iter::once(&self.device)
                .chain(victims)
                .copied()
                .collect(),
            time: Some((self.opened, self.closed.unwrap_or(self.updated))),
            severity: Some(self.severity),
            detectors: detectors(self).map(str::to_owned).collect(),
            states: states(self),
            ..Subject::default()
        }
    }
}

const OPEN: &str = "open";
const CLOSED: &str = "closed";
const SUPPRESSED: &str = "suppressed";

/// Whether it is open, and what became of it.
#[must_use]
pub fn states(alert: &Alert) -> Vec<&'static str> {
    let open = if alert.closed.is_some() { CLOSED } else { OPEN };
    let more = match &alert.label {
        Some(label) => Some(label.verdict.label()),
        None => alert.suppressed.then_some(SUPPRESSED),
    };
    std::iter::once(open).chain(more).collect()
}

fn severity(alert: &Alert) -> Value {
    Value::Ranked(alert.severity as usize, alert.severity.label())
}

/// One that is attacked is marked, as it must not be taken for a suspect.
fn device(alert: &Alert) -> Value {
    let mark = if alert.role.is_victim() { "victim" } else { "" };
    Value::Device(alert.device, mark)
}

fn detectors(alert: &Alert) -> impl Iterator<Item = &str> {
    alert.findings.iter().map(|one| one.detector.as_str())
}

impl Item for Case {
    const WHAT: &'static str = "cases";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("alert", 0, |it| Value::Number(it.alert.id)),
        Column::new("label", 0, |it| {
            Value::text(it.verdict().map(Verdict::label))
        }),
        Column::new("device", 0, |it| device(&it.alert)),
        Column::new("severity", 5, |it| severity(&it.alert)),
        Column::text("detectors", 1, |it| Value::list(detectors(&it.alert))),
        Column::new("flows", 4, |it| Value::Number(it.flows.len() as u64)),
        Column::new("by", 3, |it| {
            Value::text(it.alert.label.as_ref().map(|label| label.by.to_string()))
        }),
        Column::new("labelled", 2, |it| {
            Value::time(it.alert.label.as_ref().map(|label| label.time))
        }),
        Column::text("why", 0, |it| {
            Value::text(it.alert.label.as_ref().map(|label| &label.reason))
        }),
    ];
    const FILTERS: &'static [Filter] = FILTERS;
    const STATES: &'static [&'static str] = Alert::STATES;

    fn subject(&self) -> Subject {
        self.alert.subject()
    }
}
