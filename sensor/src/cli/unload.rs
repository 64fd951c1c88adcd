//! `wardtap unload`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use sensor_kernel as kernel;

use super::{Shown, print, print_json};
use crate::config::{Config, PATH};

const EXAMPLES: &str = "\
With an interface in the path (role inline) the programs stay on it when the daemon ends, so that a restart
leaves no gap. This takes them off for good, and all rules with them; the next start of the daemon
puts the rules in force again that have not ended.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct UnloadArgs {
    /// Configuration file that says where the programs are pinned [default: /etc/wardtap/wardtap.toml]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &UnloadArgs) -> anyhow::Result<ExitCode> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None if PathBuf::from(PATH).exists() => Config::read(PATH.as_ref())?,
        None => Config::default(),
    };
    let links = kernel::unload(&config.state.pins)?;
    if args.shown.json {
        print_json(&serde_json::json!({ "interfaces": links }))?;
    } else {
        print(&format!("programs taken off {links} interfaces\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
