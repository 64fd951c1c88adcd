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
    /// Measure what the models find without detectors, and write docs/evaluation-models.md
    Models {
        /// Passed on to the program: `--parts alone,classes`, `--seeds 51,52`, `--jobs 1`, `--markdown FILE`, `--details`
        #[arg(last = true)]
        rest: Vec<String>,
    },
}

/// `cargo xtask evaluate`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    match &arguments.what {
        Some(What::Live(arguments)) => return live::run_all(arguments),
        Some(What::Models { rest }) => {
            return measure("models", "docs/evaluation-models.md", &[], rest);
        }
        None => {}
    }
    let captures = arguments.captures.clone().unwrap_or_else(captures);
    let captures = captures.display().to_string();
    let given = ["--captures", captures.as_str()];
    measure("all", "docs/evaluation.md", &given, &arguments.rest)
}

/// Builds the evaluation and has it measure something; the tables go to a page, if no other file is named.
fn measure(what: &str, page: &str, given: &[&str], rest: &[String]) -> Result<()> {
    ebpf::objects()?;
    runtime::fetch()?;
    run(cargo_command("build").args(["--quiet", "--release", "--package", "evaluation"]))?;
    let mut command = Command::new(target().join("release/evaluation"));
    command.current_dir(root()).arg(what).args(given);
    if !rest.iter().any(|one| one.starts_with("--markdown")) {
        command.args(["--markdown", page]);
    }
    run(command.args(rest))
}
