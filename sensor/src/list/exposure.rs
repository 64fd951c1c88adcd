//! Lists of exposed devices, of advisories, and of whom these may be about.

use sensor_analysis::exposure::{
    Exposed,
    advisory::{Advisory, Match},
};

use super::{Column, Filter, Item, Subject, Value};

impl Item for Exposed {
    const WHAT: &'static str = "devices with a weakness";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("score", 0, |it| Value::Number(it.score)),
        Column::new("address", 0, |it| Value::Address(it.address, None)),
        Column::text("name", 2, |it| Value::text(it.host_name.as_ref())),
        Column::text("role", 1, |it| Value::Text(it.role.label().to_owned())),
        Column::new("depend-on-it", 3, |it| Value::Number(it.dependents)),
        Column::text("weak-by", 0, |it| {
            Value::list(it.weaknesses.iter().map(|weak| weak.kind.label()))
        }),
        Column::new("last-seen", 4, |it| Value::Time(it.last_seen)),
    ];
    const FILTERS: &'static [Filter] =
        &[Filter::Device, Filter::Since, Filter::Until, Filter::Role];

    fn subject(&self) -> Subject {
        Subject {
            addresses: vec![self.address],
            names: self.host_name.clone().into_iter().collect(),
            time: Some((self.last_seen, self.last_seen)),
            ..Subject::default()
        }
    }
}

impl Item for Advisory {
    const WHAT: &'static str = "advisories";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("number", 0, |it| Value::Text(it.id.clone())),
        Column::new("version", 3, |it| Value::Text(it.version.clone())),
        Column::new("released", 2, |it| {
            Value::Text(it.released.chars().take(10).collect())
        }),
        Column::text("publisher", 4, |it| Value::Text(it.publisher.clone())),
        Column::text("title", 0, |it| Value::Text(it.title.clone())),
        Column::text("affected", 1, |it| {
            Value::list(it.products.iter().map(|one| &one.product))
        }),
    ];
    const FILTERS: &'static [Filter] = &[];

    fn subject(&self) -> Subject {
        Subject::default()
    }
}

impl Item for Match {
    const WHAT: &'static str = "matches";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("score", 0, |it| Value::Text(format!("{:.2}", it.score))),
        Column::new("advisory", 0, |it| Value::Text(it.advisory.clone())),
        Column::new("device", 0, |it| Value::Address(it.device, None)),
        Column::new("CVSS", 3, |it| {
            Value::text(it.product.cvss.as_ref().map(ToString::to_string))
        }),
        Column::text("product", 1, |it| {
            let product = &it.product;
            let versions = super::few(&product.versions);
            Value::Text(format!("{} {} {versions}", product.vendor, product.product))
        }),
        Column::text("is", 2, |it| Value::Text(standing(it))),
        Column::text("because", 4, |it| Value::Text(it.because())),
    ];
    const FILTERS: &'static [Filter] = &[Filter::Device, Filter::Role];

    fn subject(&self) -> Subject {
        Subject {
            addresses: vec![self.device],
            ..Subject::default()
        }
    }
}

/// What a person said of it.
fn standing(one: &Match) -> String {
    one.judgement.as_ref().map_or_else(
        || "possible".to_owned(),
        |said| format!("{} by {}: {}", said.verdict.label(), said.by, said.reason),
    )
}
