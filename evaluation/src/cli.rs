//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use sensor::analysis::AnalysisOptions;

use crate::{captures, report};

#[derive(Parser)]
#[command(about = "Measure Wardtap on traffic whose truth is known")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The captures of attacks
    Captures {
        /// The captures' folder
        #[arg(long, env = "WARDTAP_CAPTURES", default_value = "../shared/captures")]
        captures: PathBuf,
        /// Name each false alert and each missed episode
        #[arg(long)]
        details: bool,
    },
}

/// Runs the program.
///
/// # Errors
/// When something can't be read or written.
pub fn run() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Captures { captures, details } => {
            let options = AnalysisOptions::default();
            for learnt in [false, true] {
                let mix = captures::mix(&captures, &options, learnt)?;
                println!("learnt: {learnt}\n{}", report::mix(&mix));
                if details {
                    println!("{}", report::details(&mix.score, &mix.alarms, &mix.truth));
                }
            }
            println!(
                "{}",
                report::singles(&captures::singles(&captures, &options)?)
            );
            Ok(())
        }
    }
}
