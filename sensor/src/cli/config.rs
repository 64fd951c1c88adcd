//! `wardtap config`.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};

use super::{Shown, print, print_json};
use crate::config::{Config, ConfigError, PATH, default_text};

const EXAMPLES: &str = "\
Examples:
  wardtap config default > /etc/wardtap/wardtap.toml
  wardtap config check new.toml
  wardtap config show --json";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ConfigCommand {
    /// Check a configuration; an error names the line and the key
    Check(FileArg),
    /// Print a configuration with all defaults filled in
    Show {
        #[command(flatten)]
        file: FileArg,
        #[command(flatten)]
        shown: Shown,
    },
    /// Print a configuration with all keys, their defaults, and comments
    Default,
}

#[derive(Args)]
pub(super) struct FileArg {
    /// The file; - is standard input
    #[arg(default_value = PATH)]
    file: PathBuf,
}

pub(super) fn run(command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(file) => {
            let config = file.read()?;
            print(&format!("{}: configuration OK\n", file.name().display()))?;
            for warning in missing(&config) {
                eprintln!("warning: {warning}");
            }
        }
        ConfigCommand::Show { file, shown } => {
            let config = file.read()?;
            if shown.json {
                print_json(&config)?;
            } else {
                print(&config.to_toml())?;
            }
        }
        ConfigCommand::Default => print(&default_text())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the configuration names and this machine does not have; it may be another machine's configuration.
fn missing(config: &Config) -> Vec<String> {
    let is_there = |name: &str| nix::net::if_::if_nametoindex(name).is_ok();
    let listening = config
        .interface
        .iter()
        .map(|one| ("interface.name", &one.name));
    let responding = config.response.interface.iter();
    let mut warnings: Vec<String> = listening
        .chain(responding.map(|name| ("response.interface", name)))
        .filter(|(_, name)| !is_there(name))
        .map(|(key, name)| format!("{key}: this machine has no interface {name:?}"))
        .collect();
    if config.interface.is_empty() {
        warnings.push("interface: none is named, so `wardtap run` needs --interface".to_owned());
    }
    warnings
}

impl FileArg {
    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    fn name(&self) -> &Path {
        if self.is_stdin() {
            Path::new("standard input")
        } else {
            &self.file
        }
    }

    fn read(&self) -> Result<Config, ConfigError> {
        if !self.is_stdin() {
            return Config::read(&self.file);
        }
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|source| ConfigError::Read {
                path: self.name().to_owned(),
                source,
            })?;
        Config::parse(&text).map_err(|error| error.in_file(self.name()))
    }
}
