//! The list of exceptions.

use sensor_analysis::{Whom, alert::Exception};

use super::{Column, Filter, Item, Subject, Value};

impl Item for Exception {
    const WHAT: &'static str = "exceptions";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", 0, |it| Value::Number(it.id)),
        Column::new("for", 0, |it| match it.whom {
            Whom::Device(address) => Value::Address(address, None),
            Whom::Subnet(_) | Whom::Role(_) => Value::Text(it.whom.to_string()),
        }),
        Column::text("detectors", 1, |it| {
            if it.detectors.is_empty() {
                Value::Text("all".to_owned())
            } else {
                Value::All(it.detectors.clone())
            }
        }),
        Column::new("muted", 0, |it| Value::Number(it.muted)),
        Column::new("muted-high", 4, |it| Value::Number(it.muted_high)),
        Column::new("last", 5, |it| Value::time(it.last)),
        Column::new("until", 2, |it| {
            it.until
                .map_or_else(|| Value::Text("for good".to_owned()), Value::Time)
        }),
        Column::new("by", 6, |it| Value::Text(it.by.to_string())),
        Column::new("made", 7, |it| Value::time(it.made)),
        Column::text("reason", 3, |it| Value::Text(it.reason.clone())),
        Column::new("alert", 8, |it| {
            it.alert.map_or(Value::Nothing, Value::Number)
        }),
    ];
    const FILTERS: &'static [Filter] = &[
        Filter::Device,
        Filter::Since,
        Filter::Until,
        Filter::Role,
        Filter::Detector,
        Filter::State,
        Filter::SiteOnly,
    ];
    const STATES: &'static [&'static str] = &[PERMANENT, TEMPORARY, LABELLED];

    fn subject(&self) -> Subject {
        let ends = if self.until.is_some() {
            TEMPORARY
        } else {
            PERMANENT
        };
        let mut subject = Subject {
            time: self.made.map(|made| (made, self.last.unwrap_or(made))),
            detectors: self.detectors.clone(),
            states: std::iter::once(ends)
                .chain(self.alert.map(|_| LABELLED))
                .collect(),
            ..Subject::default()
        };
        match &self.whom {
            Whom::Device(address) => subject.addresses = vec![*address],
            Whom::Subnet(subnet) => subject.subnets = vec![*subnet],
            Whom::Role(role) => subject.role = Some(*role),
        }
        subject
    }
}

const PERMANENT: &str = "permanent";
const TEMPORARY: &str = "temporary";
/// The label benign made it.
const LABELLED: &str = "labelled";
