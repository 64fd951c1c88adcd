//! `wardtap report compliance`.

use std::{path::Path, process::ExitCode};

use clap::Args;
use sensor_evidence::report::compliance::{Compliance, document};

use super::Written;
use crate::{
    cli::filters::TimeArgs,
    control::{
        api::{compliance, under},
        client,
    },
};

/// The time that a report is about if nothing else is said, seconds.
const MONTH: u64 = 30 * 86_400;

#[derive(Args)]
pub(in crate::cli) struct ComplianceArgs {
    /// The time that it is about [default: the last 30 days]
    #[command(flatten)]
    time: TimeArgs,
    #[command(flatten)]
    written: Written,
}

pub(super) fn run(socket: &Path, args: &ComplianceArgs) -> anyhow::Result<ExitCode> {
    let ComplianceArgs { time, written } = args;
    // Before anything is asked for: what leaves the sensor is in the trail.
    written.format()?;
    let (since, until) = time.ago();
    let target = compliance(since.unwrap_or(MONTH), until);
    let target = under(&target, written.pseudonymise);
    let report: Compliance = client::get_report(socket, &target)?;
    written.write(&report, || document(&report))?;
    Ok(ExitCode::SUCCESS)
}
