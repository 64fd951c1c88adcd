//! `wardtap config`.

mod missing;

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
  wardtap config check --offline new.toml
  wardtap config show --json";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ConfigCommand {
    /// Check a configuration; an error names the line and the key, a warning what is not there
    Check {
        #[command(flatten)]
        file: FileArg,
        /// Ask no receiver of an output whether it answers
        #[arg(long)]
        offline: bool,
    },
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
        ConfigCommand::Check { file, offline } => {
            let config = file.read()?;
            print(&format!("{}: configuration OK\n", file.name().display()))?;
            let mut warnings = missing::here(&config);
            if !offline {
                warnings.extend(missing::elsewhere(&config));
            }
            for warning in warnings {
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
