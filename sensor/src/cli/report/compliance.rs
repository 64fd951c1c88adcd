//! `wardtap report compliance`.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::Args;
use sensor_evidence::report::compliance::{Compliance, document};
use sensor_facts::setting::Span;

use super::Written;
use crate::control::{
    api::{compliance, under},
    client,
};

#[derive(Args)]
pub(in crate::cli) struct ComplianceArgs {
    /// Begin of the time that it is about: so long ago
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: Span,
    /// End of it: so long ago [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Span>,
    #[command(flatten)]
    written: Written,
}

pub(super) fn run(socket: &Path, args: &ComplianceArgs) -> anyhow::Result<ExitCode> {
    let ComplianceArgs {
        since,
        until,
        written,
    } = args;
    let seconds = |span: Span| Duration::from(span).as_secs();
    let target = compliance(seconds(*since), until.map_or(0, seconds));
    let target = under(&target, written.pseudonymise);
    let report: Compliance = client::get_report(socket, &target)?;
    written.write(&report, || document(&report))?;
    Ok(ExitCode::SUCCESS)
}
