//! `wardtap alerts cases`.

use std::{fmt::Write as _, path::Path};

use clap::Args;

use super::super::{
    Listed, print, print_json, shown_of,
    table::{list, local, table},
};
use crate::{
    alert::Case,
    control::{
        api::{self, CASES, Page},
        client,
    },
    model::{
        csv::IDENTITY,
        features::{NAMES, SCHEMA},
    },
};

#[derive(Args)]
pub(in crate::cli) struct CasesArgs {
    #[command(flatten)]
    listed: Listed,
    /// Write their flows as CSV, as `wardtap export features` has them, with the label in a last column
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) fn run(socket: &Path, args: &CasesArgs) -> anyhow::Result<()> {
    let query = args.listed.query(None);
    let page: Page<Case> = client::get(socket, &api::target(CASES, &query))?;
    if args.listed.shown.json {
        return print_json(&page);
    }
    if args.csv {
        return print(&csv(&page.items));
    }
    let end = shown_of(page.items.len(), &args.listed, page.total, "cases");
    if page.items.is_empty() {
        return print(&end);
    }
    let mut rows = table(&[
        "alert",
        "label",
        "device",
        "detectors",
        "flows",
        "by",
        "labelled",
        "why",
    ]);
    for case in &page.items {
        let Some(label) = &case.alert.label else {
            continue;
        };
        rows.add_row([
            case.alert.id.to_string(),
            label.verdict.label().to_owned(),
            case.alert.device.to_string(),
            list(case.alert.findings.iter().map(|one| &one.detector)),
            case.flows.len().to_string(),
            label.by.to_string(),
            local(label.time),
            label.reason.clone(),
        ]);
    }
    print(&format!("{rows}\n{end}"))
}

/// Their flows; those of another schema are left out.
fn csv(cases: &[Case]) -> String {
    let mut text = format!("{},{},label\n", IDENTITY.join(","), NAMES.join(","));
    for case in cases.iter().filter(|case| case.schema == SCHEMA) {
        let label = case.verdict().map_or("", |verdict| verdict.label());
        for flow in &case.flows {
            let values: Vec<String> = flow.values.iter().map(ToString::to_string).collect();
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{label}",
                flow.time.0,
                flow.client.ip(),
                flow.server.ip(),
                flow.server.port(),
                flow.protocol,
                values.join(",")
            );
        }
    }
    text
}
