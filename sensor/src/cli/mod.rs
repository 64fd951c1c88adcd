//! The command line: nouns, then verbs. A command is a file of its own, and an entry here.

mod advisories;
mod alerts;
mod audit;
mod completions;
mod config;
mod devices;
#[cfg(test)]
mod docs;
mod doctor;
mod exceptions;
mod export;
mod exposure;
mod filters;
mod flows;
mod incidents;
mod listed;
mod man;
mod model;
mod options;
mod output;
mod plain;
mod progress;
mod protect;
mod reload;
mod replay;
mod report;
mod rows;
mod rules;
mod run;
mod search;
mod sessions;
mod status;
mod table;
mod top;
mod unload;
mod values;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Config, PATH, SOCKET};
use listed::Listed;
use options::{Shown, Under};
use output::{is_closed_pipe, print, print_json, told};

const EXAMPLES: &str = "\
Examples:
  wardtap replay capture.pcapng            what a capture holds, without root
  wardtap run --interface eth1             listen on a span port
  wardtap status                           how the daemon fares
  wardtap top                              the same live, with devices, alerts and rules
  wardtap sessions list --protocol dicom   who sends images where
  wardtap devices list --json              hosts, for a program
  wardtap alerts list                      what is suspected, and why
  wardtap incidents show I3                an attack in order: who, what, to whom, how far
  wardtap search 10.77.1.10                all that is known of something
  wardtap rules list                       what is blocked, and whether that works
  wardtap rules release-all --reason ...   lift everything at once";

#[derive(Parser)]
#[command(
    name = "wardtap",
    version,
    about = "An eBPF network sensor for hospitals: flows, DICOM and HL7, never patient data",
    after_help = EXAMPLES
)]
struct Cli {
    /// Control socket of the daemon [default: as in /etc/wardtap/wardtap.toml]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "WARDTAP_SOCKET",
        hide_env_values = true
    )]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    /// Incidents: alerts of one or more devices that belong to one attack
    #[command(subcommand, alias = "incident")]
    Incidents(incidents::IncidentsCommand),
    /// Containment rules: what is blocked
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// The never-block list: what no rule ever blocks
    #[command(subcommand)]
    Protect(protect::ProtectCommand),
    /// Exceptions: findings that nobody is to be told of
    #[command(subcommand)]
    Exceptions(exceptions::ExceptionsCommand),
    Search(search::SearchArgs),
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
    /// Have the daemon read its configuration again, and say what changed
    Reload(reload::ReloadArgs),
    /// Say whether this host can run the sensor; change nothing
    Doctor(doctor::DoctorArgs),
    /// Take the programs off all interfaces and lift all rules, when no daemon runs
    Unload(unload::UnloadArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Write man pages to a folder
    Man(man::ManArgs),
}

/// Parses the arguments and does what they say. Exit code 0: done, 1: failed, 2: usage.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let named = cli.socket.as_deref();
    let socket = socket(named);
    let done = match cli.command {
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args, named),
        Command::Status(shown) => status::run(&socket, shown),
        Command::Top => top::run(&socket),
        Command::Flows(command) => flows::run(&socket, &command),
        Command::Sessions(command) => sessions::run(&socket, &command),
        Command::Devices(command) => devices::run(&socket, &command),
        Command::Alerts(command) => alerts::run(&socket, command),
        Command::Incidents(command) => incidents::run(&socket, command),
        Command::Rules(command) => rules::run(&socket, command),
        Command::Protect(command) => protect::run(&socket, command),
        Command::Exceptions(command) => exceptions::run(&socket, command),
        Command::Search(args) => search::run(&socket, &args),
        Command::Model(command) => model::run(&socket, &command),
        Command::Exposure(command) => exposure::run(&socket, &command),
        Command::Advisories(command) => advisories::run(&socket, &command),
        Command::Audit(command) => audit::run(&socket, &command),
        Command::Unload(args) => unload::run(&args),
        Command::Report(command) => report::run(&socket, &command),
        Command::Export(command) => export::run(&socket, &command),
        Command::Config(command) => config::run(&command),
        Command::Reload(args) => reload::run(&socket, &args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => Ok(completions::run(&args, Cli::command())),
        Command::Man(args) => man::run(&args, Cli::command()),
    };
    match done {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wardtap: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The daemon's socket: as named, or as the configuration has it.
fn socket(named: Option<&Path>) -> PathBuf {
    named.map_or_else(
        // Who may not read the configuration may still be allowed to use the socket.
        || Config::read(PATH.as_ref()).map_or_else(|_| SOCKET.into(), |it| it.control.socket),
        Path::to_owned,
    )
}
