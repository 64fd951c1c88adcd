//! `wardtap report incident`.

use std::{path::Path, process::ExitCode};

use clap::{Args, ValueEnum};
use sensor_evidence::report::incident::{Incident, Law};

use super::Written;
use crate::control::{
    api::{INCIDENTS, under},
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
    /// The alert's number, as `wardtap alerts list` shows it
    alert: u64,
    /// The laws whose deadlines the report counts; may be given several times
    #[arg(long = "law", value_enum, value_name = "LAW", default_value = "hipaa")]
    laws: Vec<LawName>,
    #[command(flatten)]
    written: Written,
}

pub(super) fn run(socket: &Path, args: &IncidentArgs) -> anyhow::Result<ExitCode> {
    let IncidentArgs {
        alert,
        laws,
        written,
    } = args;
    let laws: Vec<Law> = laws.iter().map(|law| law.law()).collect();
    // Before anything is asked for: what leaves the sensor is in the trail.
    written.format()?;
    let target = under(&format!("{INCIDENTS}/{alert}"), written.pseudonymise);
    let incident: Incident = client::get(socket, &target)?;
    written.write(&incident, || incident.document(&laws))?;
    Ok(ExitCode::SUCCESS)
}
