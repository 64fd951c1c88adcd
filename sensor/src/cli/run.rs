//! `wardtap run`.

use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, Interface, LogFormat, PATH},
    daemon::{self, DaemonOptions},
    output::Target,
};

#[derive(Args)]
pub(super) struct RunArgs {
    /// Configuration file; without it, and without /etc/wardtap/wardtap.toml, the defaults
    #[arg(long, short)]
    config: Option<PathBuf>,
    /// Interface to listen on, instead of those in the configuration; can be given several times
    #[arg(long, short)]
    interface: Vec<String>,
}

impl RunArgs {
    /// The configuration in force: file, then arguments.
    fn read(&self) -> anyhow::Result<Config> {
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
        output: Target::named(&config.output.json.path),
        queue: config.output.json.max_queue,
        stats_interval: config.output.json.stats_interval.into(),
    }
}

pub(super) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let config = args.read()?;
    log(&config);
    daemon::run(options(&config), || {
        args.read()
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
        .with_ansi(io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none())
        .with_writer(io::stderr);
    match config.log.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
