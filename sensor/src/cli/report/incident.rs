//! `wardtap report incident`.

use std::{path::Path, process::ExitCode};

use clap::Args;
use sensor_evidence::report::incident::Incident;

use super::Written;
use crate::control::{
    api::{INCIDENTS, under},
    client,
};

#[derive(Args)]
pub(in crate::cli) struct IncidentArgs {
    /// The alert's number, as `wardtap alerts list` shows it
    alert: u64,
    #[command(flatten)]
    written: Written,
}

pub(super) fn run(socket: &Path, args: &IncidentArgs) -> anyhow::Result<ExitCode> {
    let IncidentArgs { alert, written } = args;
    // Before anything is asked for: what leaves the sensor is in the trail.
    written.format()?;
    let target = under(&format!("{INCIDENTS}/{alert}"), written.pseudonymise);
    let incident: Incident = client::get(socket, &target)?;
    written.write(&incident, || incident.document())?;
    Ok(ExitCode::SUCCESS)
}
