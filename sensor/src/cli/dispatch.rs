//! Which function does what a command asks for.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};

use super::{
    advisories, alerts, audit,
    command::{Cli, Command},
    completions, config, devices, doctor, export, exposure, flows, man, model,
    output::{is_closed_pipe, told},
    protect, replay, report, rules, run, sessions, status, top, unload,
};
use crate::config::{Config, PATH, SOCKET};

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
        Command::Rules(command) => rules::run(&socket, command),
        Command::Protect(command) => protect::run(&socket, command),
        Command::Model(command) => model::run(&socket, &command),
        Command::Exposure(command) => exposure::run(&socket, &command),
        Command::Advisories(command) => advisories::run(&socket, &command),
        Command::Audit(command) => audit::run(&socket, &command),
        Command::Unload(args) => unload::run(&args),
        Command::Report(command) => report::run(&socket, &command),
        Command::Export(command) => export::run(&socket, &command),
        Command::Config(command) => config::run(&command),
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
