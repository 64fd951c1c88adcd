//! `wardtap report incident`.

use std::{path::Path, process::ExitCode};

use clap::Args;
use sensor_evidence::report::incident::Incident;
use sensor_facts::incident;

use super::Written;
use crate::control::{
    api::{INCIDENT_REPORTS, under},
    client,
};

#[derive(Args)]
pub(in crate::cli) struct IncidentArgs {
    /// An incident, such as I3, as `wardtap incidents list` shows it; or the number of an alert, for the incident that it
    /// belongs to
    #[arg(value_name = "INCIDENT or ALERT", value_parser = known)]
    of: String,
    #[command(flatten)]
    written: Written,
}

/// The letter of incidents, or nothing, and a number.
fn known(text: &str) -> Result<String, String> {
    let number = incident::number(text)?;
    let letter = if text.starts_with(['I', 'i']) {
        "I"
    } else {
        ""
    };
    Ok(format!("{letter}{number}"))
}

pub(super) fn run(socket: &Path, args: &IncidentArgs) -> anyhow::Result<ExitCode> {
    let IncidentArgs { of, written } = args;
    // Before anything is asked for: what leaves the sensor is in the trail.
    written.format()?;
    let target = under(&format!("{INCIDENT_REPORTS}/{of}"), written.pseudonymise);
    let incident: Incident = client::get(socket, &target)?;
    written.write(&incident, || incident.document())?;
    Ok(ExitCode::SUCCESS)
}
