//! The command line of `evaluation models`.

use std::path::PathBuf;

use clap::{Args, ValueEnum as _};

use super::{Files, Part, Plan};
use crate::{all, cli};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Parts of the page, comma-separated; without it, all
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,
    /// Hospitals that nothing was chosen by
    #[arg(long, value_delimiter = ',', default_values_t = [51, 52, 53, 54, 55])]
    seeds: Vec<u64>,
    /// Hospitals in which the classes are left out one by one
    #[arg(long, value_delimiter = ',', default_values_t = [8, 9])]
    chosen: Vec<u64>,
    /// How long
    #[arg(long, default_value_t = 14)]
    days: u64,
    /// How many devices, about
    #[arg(long, default_value_t = 240)]
    devices: usize,
    /// The model that scores flows
    #[arg(long, default_value = "models/flow-v1.onnx")]
    model: PathBuf,
    /// The model that scores windows
    #[arg(long, default_value = "models/windows-v1.onnx")]
    windows: PathBuf,
    /// ONNX Runtime's library
    #[arg(long)]
    runtime: Option<PathBuf>,
    /// Simulations that run at once; without it, as many as there are cores
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the page to this file
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Name each false alert and each missed episode on standard error
    #[arg(long)]
    details: bool,
}

impl Arguments {
    /// Measures it.
    ///
    /// # Errors
    /// When a model can't be opened, or the page can't be written.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let parts = if self.parts.is_empty() {
            Part::value_variants().to_vec()
        } else {
            self.parts
        };
        super::run(&Plan {
            parts,
            seeds: self.seeds,
            chosen: self.chosen,
            days: self.days,
            devices: self.devices,
            files: Files {
                flows: self.model,
                windows: self.windows,
                runtime: self.runtime.or_else(all::runtime),
            },
            jobs: self.jobs.unwrap_or_else(cli::cores),
            markdown: self.markdown,
            details: self.details,
        })
    }
}
