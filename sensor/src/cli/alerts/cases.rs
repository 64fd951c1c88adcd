//! `wardtap alerts cases`.

use std::path::Path;

use clap::Args;
use sensor_analysis::{alert::Case, model::csv};

use super::super::{
    Listed, export, print, print_json, shown_of,
    table::{list, local, table},
};
use crate::control::{
    api::{self, CASES, Page, Wanted},
    client,
};

#[derive(Args)]
pub(in crate::cli) struct CasesArgs {
    #[command(flatten)]
    listed: Listed,
    /// Write their flows as CSV, as `wardtap export features` has them, with the label in a last column
    #[arg(long, conflicts_with_all = ["json", "pseudonymise"])]
    csv: bool,
    /// With their addresses; else those are pseudonyms under the site's key
    #[arg(long, requires = "csv")]
    addresses: bool,
}

pub(super) fn run(socket: &Path, args: &CasesArgs) -> anyhow::Result<()> {
    if args.csv {
        let wanted = Wanted {
            labelled: true,
            pseudonymise: !args.addresses,
        };
        let mut text = Vec::new();
        csv::write_labelled(&mut text, &export::rows(socket, wanted)?)?;
        return print(&String::from_utf8(text)?);
    }
    let query = args.listed.query(None);
    let page: Page<Case> = client::get(socket, &api::target(CASES, &query))?;
    if args.listed.shown.json {
        return print_json(&page);
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
