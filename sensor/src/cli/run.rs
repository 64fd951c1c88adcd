//! `wardtap run`.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use sensor_analysis::AnalysisOptions;
use tracing_subscriber::EnvFilter;

use super::table::has_colour;
use crate::{
    config::{Config, Interface, KeyValues, LogFormat, PATH},
    daemon,
    live::{options::DaemonOptions, responder::ResponderOptions},
};

const EXAMPLES: &str = "\
Examples:
  wardtap run --interface eth1
  wardtap run --config /etc/wardtap/wardtap.toml

SIGHUP makes it read the configuration again and open its output anew; a bad file leaves the old one in
force. SIGINT or SIGTERM ends it.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// Configuration file; without it, and without /etc/wardtap/wardtap.toml, the defaults
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Interface to listen on, instead of those in the configuration; can be given several times
    #[arg(long, short, value_name = "IF")]
    interface: Vec<String>,
}

impl RunArgs {
    /// The configuration in force: file, then arguments.
    fn read(&self, socket: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None if PathBuf::from(PATH).exists() => Config::read(PATH.as_ref())?,
            None => Config::default(),
        };
        if !self.interface.is_empty() {
            config.interface = self
                .interface
                .iter()
                .map(|name| Interface::named(name))
                .collect();
        }
        if let Some(socket) = socket {
            socket.clone_into(&mut config.control.socket);
        }
        Ok(config)
    }
}

fn options(config: &Config) -> DaemonOptions {
    DaemonOptions {
        kernel: config.kernel(),
        pipeline: config.pipeline(),
        socket: config.control.socket.clone(),
        socket_group: config.control.group.clone(),
        metrics: config.metrics.enabled.then_some(config.metrics.listen),
        output: config.output.options(),
        stats_interval: config.output.json.stats_interval.into(),
        store: config.store.options(&config.state.directory),
        state: config.state.directory.clone(),
        audit: config.audit.options(),
        response: ResponderOptions {
            containment: config.containment.clone(),
            analysis: AnalysisOptions {
                baseline: config.baseline,
                detect: config.detect.clone(),
                alert: config.alert,
                incident: config.incident,
            },
        },
        mirror: config.mirror,
        model: config.model.clone(),
        response_interface: config.response.interface.clone(),
        settings: KeyValues::of(config),
        config_hash: blake3::hash(config.to_toml().as_bytes())
            .to_hex()
            .to_string(),
    }
}

pub(super) fn run(args: &RunArgs, socket: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = args.read(socket)?;
    log(&config);
    let options_now = options(&config);
    // Before the socket: who lacks the rights shall not read of a folder that can't be made.
    options_now.kernel.preflight()?;
    daemon::run(options_now, || {
        args.read(socket)
            .map(|config| options(&config))
            .map_err(|error| format!("{error:#}"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The daemon's log goes to standard error, so that events may go to standard output. `RUST_LOG` wins over
/// the configuration.
fn log(config: &Config) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(config.log.level.directive()));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colour(&io::stderr()))
        .with_writer(io::stderr);
    match config.log.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
