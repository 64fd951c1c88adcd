//! The list of incidents.

use sensor_facts::{
    alert::Verdict,
    incident::{Incident, Stage},
};

use super::{Column, Filter, Item, Subject, Value};

impl Item for Incident {
    const WHAT: &'static str = "incidents";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", 0, |it| Value::Text(format!("I{}", it.id))),
        Column::new("severity", 0, |it| {
            Value::Ranked(it.severity as usize, it.severity.label())
        }),
        Column::new("first", 0, |it| {
            it.first_affected
                .map_or(Value::Nothing, |first| Value::Address(first, None))
        }),
        Column::text("what", 0, |it| Value::Text(it.title.clone())),
        Column::new(
            "suspects",
            4,
            |it| Value::Number(it.suspects().len() as u64),
        ),
        Column::new("attacked", 3, |it| Value::Number(it.victims.len() as u64)),
        Column::new("alerts", 3, |it| Value::Number(it.alerts.len() as u64)),
        Column::text("stages", 7, |it| {
            Value::All(it.stages().into_iter().map(stage).collect())
        }),
        Column::new("opened", 2, |it| Value::Time(it.opened)),
        Column::new("updated", 6, |it| Value::Time(it.updated)),
        Column::text("state", 1, |it| Value::Text(incident_states(it).join(", "))),
    ];
    const FILTERS: &'static [Filter] = &[
        Filter::Device,
        Filter::Since,
        Filter::Until,
        Filter::Role,
        Filter::Severity,
        Filter::State,
        Filter::SiteOnly,
    ];
    const STATES: &'static [&'static str] = &[
        OPEN,
        CLOSED,
        MERGED,
        Verdict::Benign.label(),
        Verdict::Malicious.label(),
    ];

    fn subject(&self) -> Subject {
        let devices = self.alerts.iter().map(|one| one.device);
        let last = self.end.as_ref().map_or(self.updated, |end| end.time);
        Subject {
            addresses: devices.chain(self.victims.iter().copied()).collect(),
            time: Some((self.opened, last)),
            severity: Some(self.severity),
            states: incident_states(self),
            ..Subject::default()
        }
    }
}

const OPEN: &str = "open";
const CLOSED: &str = "closed";
/// It is a part of another one.
const MERGED: &str = "merged";

fn stage(stage: Stage) -> String {
    stage.label().to_owned()
}

/// Whether it is open, and what became of it.
#[must_use]
pub fn incident_states(incident: &Incident) -> Vec<&'static str> {
    let state = match (incident.merged_into, &incident.end) {
        (Some(_), _) => MERGED,
        (None, Some(_)) => CLOSED,
        (None, None) => OPEN,
    };
    let label = incident.label.as_ref();
    std::iter::once(state)
        .chain(label.map(|label| label.verdict.label()))
        .collect()
}
