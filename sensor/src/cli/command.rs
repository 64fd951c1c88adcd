//! The commands and their arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    advisories, alerts, audit, completions, config, devices, doctor, export, exposure, flows, man,
    model, options::Shown, protect, replay, report, rules, run, sessions, unload,
};

const EXAMPLES: &str = "\
Examples:
  wardtap replay capture.pcapng            what a capture holds, without root
  wardtap run --interface eth1             listen on a span port
  wardtap status                           how the daemon fares
  wardtap top                              the same live, with devices, alerts and rules
  wardtap sessions list --protocol dicom   who sends images where
  wardtap devices list --json              hosts, for a program
  wardtap alerts list                      what is suspected, and why
  wardtap rules list                       what is blocked, and whether that works
  wardtap rules release-all --reason ...   lift everything at once";

#[derive(Parser)]
#[command(
    name = "wardtap",
    version,
    about = "An eBPF network sensor for hospitals: flows, DICOM and HL7, never patient data",
    after_help = EXAMPLES
)]
pub(super) struct Cli {
    /// Control socket of the daemon [default: as in /etc/wardtap/wardtap.toml]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "WARDTAP_SOCKET",
        hide_env_values = true
    )]
    pub(super) socket: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Replay(replay::ReplayArgs),
    /// Run the daemon
    Run(run::RunArgs),
    /// Say how the daemon fares: interfaces, losses, tables, what is wrong
    Status(Shown),
    /// Watch the daemon live: traffic, losses, devices, alerts; approve and remove rules
    Top,
    /// Flows
    #[command(subcommand)]
    Flows(flows::FlowsCommand),
    /// DICOM associations, HL7 sessions, TLS connections
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Hosts
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Alerts: what is suspected, and why
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// Containment rules: what is blocked
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// The never-block list: what no rule ever blocks
    #[command(subcommand)]
    Protect(protect::ProtectCommand),
    /// The anomaly model: which is in use, and changing it
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// What to fix first: devices by how exposed they are
    #[command(subcommand)]
    Exposure(exposure::ExposureCommand),
    /// Security advisories of makers and authorities, and whom they may be about
    #[command(subcommand)]
    Advisories(advisories::AdvisoriesCommand),
    /// The audit trail: who did what, when and why
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Reports: what is known of an incident, what can be shown of a time
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// What the sensor knows, in files for other programs
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// The configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Say whether this host can run the sensor; change nothing
    Doctor(doctor::DoctorArgs),
    /// Take the programs off all interfaces and lift all rules, when no daemon runs
    Unload(unload::UnloadArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Write man pages to a folder
    Man(man::ManArgs),
}
