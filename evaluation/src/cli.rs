//! The command line of the evaluation.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use sensor_analysis::{AnalysisOptions, detect::ALL};

use crate::{
    all::{self, All},
    captures, cost, export,
    hospital::Hospital,
    models::Arguments,
    report, simulation,
    which::Which,
    windows,
};

#[derive(Parser)]
#[command(about = "Measure Wardtap on traffic whose truth is known")]
struct Program {
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
    /// A simulated hospital
    Simulate {
        #[command(flatten)]
        which: Which,
        /// With these detectors alone
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Without these detectors
        #[arg(long, value_delimiter = ',', conflicts_with = "only")]
        off: Vec<String>,
        /// The model of windows; without it, windows are judged by sums of surprises
        #[arg(long)]
        windows: Option<PathBuf>,
        /// False alerts a day and 1,000 devices that `unusual_behaviour` may raise
        #[arg(long)]
        budget: Option<f64>,
        /// Name each false alert and each missed episode
        #[arg(long)]
        details: bool,
        /// Write all findings to this file, one a line
        #[arg(long)]
        findings: Option<PathBuf>,
    },
    /// All of it: simulated hospitals with and without attacks, a poisoned one, the captures
    All {
        /// Seeds of the hospitals
        #[arg(long, value_delimiter = ',', default_values_t = [8, 9])]
        seeds: Vec<u64>,
        /// How long
        #[arg(long, default_value_t = 14)]
        days: u64,
        /// How many devices, about
        #[arg(long, default_value_t = 240)]
        devices: usize,
        /// The captures' folder
        #[arg(long, env = "WARDTAP_CAPTURES", default_value = "../shared/captures")]
        captures: PathBuf,
        /// The model that scores flows, if it is there
        #[arg(long, default_value = "models/flow-v1.onnx")]
        model: PathBuf,
        /// The model that scores windows, if it is there
        #[arg(long, default_value = "models/windows-v1.onnx")]
        windows: PathBuf,
        /// ONNX Runtime's library
        #[arg(long)]
        runtime: Option<PathBuf>,
        /// Simulations that run at once; without it, as many as there are cores
        #[arg(long)]
        jobs: Option<usize>,
        /// Write the tables to this file
        #[arg(long)]
        markdown: Option<PathBuf>,
        /// Write the numbers to this file; - is the standard output, instead of the tables
        #[arg(long)]
        json: Option<PathBuf>,
        /// Name each false alert and each missed episode on standard error
        #[arg(long)]
        details: bool,
    },
    /// What the models find without detectors, what their parts add, and who gets around them
    Models(Arguments),
    /// What windows of devices cost: time and memory
    Cost {
        /// Devices
        #[arg(long, default_value_t = 10_000)]
        devices: u32,
        /// Windows of each
        #[arg(long, default_value_t = 24)]
        windows: i64,
        /// The model that scores windows
        #[arg(long, default_value = "models/windows-v1.onnx")]
        model: PathBuf,
    },
    /// Write a row of features for each flow of a simulated hospital (CSV)
    Features {
        #[command(flatten)]
        which: Which,
        /// The file
        #[arg(long)]
        output: PathBuf,
        /// Add the class of the attack that a flow is part of, or nothing
        #[arg(long)]
        label: bool,
    },
    /// Write a row for each five minutes of each device of a simulated hospital, with the truth (CSV)
    Windows {
        #[command(flatten)]
        which: Which,
        /// The file
        #[arg(long)]
        output: PathBuf,
    },
    /// Write the frames of some hours of a simulated hospital (pcap)
    Pcap {
        #[command(flatten)]
        which: Which,
        /// Hours from the begin
        #[arg(long, default_value_t = 10.0)]
        from: f64,
        /// How many hours
        #[arg(long, default_value_t = 1.0)]
        hours: f64,
        /// The file
        #[arg(long)]
        output: PathBuf,
    },
}

/// Runs the program.
///
/// # Errors
/// When something can't be read or written.
pub fn run() -> anyhow::Result<()> {
    let mut analysis = AnalysisOptions::default();
    match Program::parse().command {
        Command::Captures { captures, details } => read_captures(&captures, &analysis, details)?,
        Command::Simulate {
            which,
            only,
            off,
            windows,
            budget,
            details,
            findings,
        } => {
            analysis.detect.off = switched_off(&only, &off)?;
            if let Some(budget) = budget {
                let set = analysis.detect.set("behaviour_budget", budget);
                set.map_err(anyhow::Error::msg)?;
            }
            if let Some(path) = &windows {
                let opened = all::windows(path, all::runtime().as_deref());
                opened.map_err(anyhow::Error::msg)?;
            }
            let open = || all::windows(windows.as_ref()?, all::runtime().as_deref()).ok();
            let one = simulation::run(which.options(), &analysis, None, Some(&open));
            println!("{}", report::simulated(&one));
            if details {
                println!("{}", report::details(&one.score, &one.alarms, &one.truth));
            }
            if let Some(path) = findings {
                fs::write(&path, one.findings.join("\n") + "\n")
                    .with_context(|| format!("can't write {}", path.display()))?;
            }
        }
        Command::All {
            seeds,
            days,
            devices,
            captures,
            model,
            windows,
            runtime,
            jobs,
            markdown,
            json,
            details,
        } => {
            let plan = all::Plan {
                seeds,
                days,
                devices,
                captures,
                model,
                windows,
                runtime: runtime.or_else(all::runtime),
                jobs: jobs.unwrap_or_else(cores),
            };
            show(&all::run(&plan)?, markdown, json, details)?;
        }
        Command::Models(arguments) => arguments.run()?,
        Command::Cost {
            devices,
            windows,
            model,
        } => {
            let model = all::windows(&model, all::runtime().as_deref());
            let model = model.map_err(anyhow::Error::msg)?;
            println!("{}", cost::measure(devices, windows, model));
        }
        Command::Features {
            which,
            output,
            label,
        } => {
            let mut hospital = Hospital::new(which.options());
            let rows = export::features(&mut hospital, &output, label)?;
            eprintln!("{rows} rows in {}", output.display());
        }
        Command::Windows { which, output } => {
            let mut hospital = Hospital::new(which.options());
            let rows = windows::write(&mut hospital, &output)?;
            eprintln!("{rows} rows in {}", output.display());
        }
        Command::Pcap {
            which,
            from,
            hours,
            output,
        } => {
            let mut hospital = Hospital::new(which.options());
            let frames = export::pcap(&mut hospital, &output, from, hours)?;
            eprintln!("{frames} frames in {}", output.display());
        }
    }
    Ok(())
}

/// Reads the captures of attacks, and shows what came of them.
fn read_captures(captures: &Path, analysis: &AnalysisOptions, details: bool) -> anyhow::Result<()> {
    for learnt in [false, true] {
        let mix = captures::mix(captures, analysis, learnt)?;
        println!("learnt: {learnt}\n{}", report::mix(&mix));
        if details {
            println!("{}", report::details(&mix.score, &mix.alarms, &mix.truth));
        }
    }
    let singles = captures::singles(captures, analysis)?;
    println!("{}", report::singles(&singles));
    Ok(())
}

/// Simulations that run at once where nobody says how many.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Detectors that are off, where some run alone or some do not.
fn switched_off(only: &[String], off: &[String]) -> anyhow::Result<Vec<String>> {
    for name in only.iter().chain(off) {
        let known = ALL.iter().any(|about| about.id == name);
        anyhow::ensure!(known, "there is no detector {name}");
    }
    if only.is_empty() {
        return Ok(off.to_vec());
    }
    let ids = ALL.iter().map(|about| about.id.to_owned());
    Ok(ids.filter(|id| !only.contains(id)).collect())
}

fn show(
    all: &All,
    markdown: Option<PathBuf>,
    json: Option<PathBuf>,
    details: bool,
) -> anyhow::Result<()> {
    let write = |path: PathBuf, text: String| {
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    };
    if details {
        eprintln!("{}", all.details());
    }
    let text = all.markdown();
    let numbers = serde_json::to_string_pretty(&all.json())?;
    match json {
        Some(path) if path.as_os_str() == "-" => println!("{numbers}"),
        Some(path) => {
            write(path, numbers + "\n")?;
            println!("{text}");
        }
        None => println!("{text}"),
    }
    markdown.map_or(Ok(()), |path| write(path, text))
}
