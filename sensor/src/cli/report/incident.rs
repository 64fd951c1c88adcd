//! `wardtap report incident`.

use std::{path::Path, process::ExitCode};

use clap::{Args, ValueEnum};
use sensor_evidence::report::incident::{Incident, Law};
use sensor_facts::incident;

use super::Written;
use crate::control::{
    api::{INCIDENT_REPORTS, under},
    client,
};

/// A law about incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LawName {
    /// United States: notices of a breach within 60 days.
    Hipaa,
    /// European Union, personal data: the authority within 72 hours.
    Gdpr,
    /// European Union, networks of hospitals: early warning within 24 hours.
    Nis2,
}

impl LawName {
    const fn law(self) -> Law {
        match self {
            Self::Hipaa => Law::Hipaa,
            Self::Gdpr => Law::Gdpr,
            Self::Nis2 => Law::Nis2,
        }
    }
}

#[derive(Args)]
pub(in crate::cli) struct IncidentArgs {
    /// An incident, such as I3, as `wardtap incidents list` shows it; or the number of an alert, for the incident that it
    /// belongs to
    #[arg(value_name = "INCIDENT or ALERT", value_parser = known)]
    of: String,
    /// The laws whose deadlines the report counts; may be given several times
    #[arg(long = "law", value_enum, value_name = "LAW", default_value = "hipaa")]
    laws: Vec<LawName>,
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
    let IncidentArgs { of, laws, written } = args;
    let laws: Vec<Law> = laws.iter().map(|law| law.law()).collect();
    // Before anything is asked for: what leaves the sensor is in the trail.
    written.format()?;
    let target = under(&format!("{INCIDENT_REPORTS}/{of}"), written.pseudonymise);
    let incident: Incident = client::get(socket, &target)?;
    written.write(&incident, || incident.document(&laws))?;
    Ok(ExitCode::SUCCESS)
}
