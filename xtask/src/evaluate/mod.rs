//! `cargo xtask evaluate`: how well Wardtap does, on captures of attacks and in a simulated hospital.

mod live;
pub(crate) mod programs;

use std::{path::PathBuf, process::Command};

use anyhow::Result;
use clap::Subcommand;

use crate::{
    ebpf, runtime,
    workspace::{captures, cargo_command, root, run, target},
};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder of the captures
    #[arg(long)]
    captures: Option<PathBuf>,
    /// Passed on to the program: `--seeds 8,9`, `--days 14`, `--json FILE`, `--markdown FILE`, `--details`
    #[arg(last = true)]
    rest: Vec<String>,
}

#[derive(Subcommand)]
enum What {
    /// Run real attack tools in a hospital of network namespaces
    Live(live::Arguments),
}

/// `cargo xtask evaluate`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    if let Some(What::Live(arguments)) = &arguments.what {
        return live::run_all(arguments);
    }
    ebpf::objects()?;
    runtime::fetch()?;
    run(cargo_command("build").args(["--quiet", "--release", "--package", "evaluation"]))?;
    let captures = arguments.captures.clone().unwrap_or_else(captures);
    let mut command = Command::new(target().join("release/evaluation"));
    command.current_dir(root()).arg("all");
    command.arg("--captures").arg(captures);
    if !arguments
        .rest
        .iter()
        .any(|one| one.starts_with("--markdown"))
    {
        command.args(["--markdown", "docs/evaluation.md"]);
    }
    run(command.args(&arguments.rest))
}
