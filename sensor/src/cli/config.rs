//! `wardtap config`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::print;
use crate::config::{Config, DEFAULT, PATH};

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Check a configuration file
    Check {
        /// The file
        #[arg(default_value = PATH)]
        file: PathBuf,
    },
    /// Print a configuration file with all defaults filled in
    Show {
        /// The file
        #[arg(default_value = PATH)]
        file: PathBuf,
    },
    /// Print a configuration that says the defaults, with what each is for
    Default,
}

pub(super) fn run(command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check { file } => {
            let config = Config::read(file)?;
            let interfaces = config.interface.len();
            print(&format!(
                "{}: sound, {interfaces} interfaces\n",
                file.display()
            ))?;
        }
        ConfigCommand::Show { file } => print(&Config::read(file)?.to_toml())?,
        ConfigCommand::Default => print(DEFAULT)?,
    }
    Ok(ExitCode::SUCCESS)
}
