//! `wardtap alerts cases`.

use std::path::Path;

use clap::Args;
use sensor_analysis::{alert::Case, model::csv};

use super::super::{Listed, export, print};
use crate::control::api::{CASES, LABELLED_ROWS, Query};

#[derive(Args)]
pub(in crate::cli) struct CasesArgs {
    #[command(flatten)]
    listed: Listed<Case>,
    /// Write their flows as CSV, as `wardtap export features` has them, with the label in a last column
    #[arg(long, conflicts_with_all = ["json", "pseudonymise"])]
    csv: bool,
    /// With their addresses; else those are pseudonyms under the site's key
    #[arg(long, requires = "csv")]
    addresses: bool,
}

pub(super) fn run(socket: &Path, args: &CasesArgs) -> anyhow::Result<()> {
    if args.csv {
        let wanted = Query {
            pseudonymise: !args.addresses,
            ..args.listed.query()
        };
        let mut text = Vec::new();
        csv::write_labelled(&mut text, &export::rows(socket, LABELLED_ROWS, &wanted)?)?;
        return print(&String::from_utf8(text)?);
    }
    args.listed.print(socket, CASES)
}
