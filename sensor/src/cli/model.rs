//! `wardtap model`.

mod retrain;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use sensor_analysis::model::{
    About, Check, Entry, Gate, Loaded, ModelFile, Runtime, Summary, examine, examine_outside,
};
use sensor_facts::hex::short;
use serde::Serialize;

use super::{
    Shown, print, print_json,
    table::{Colour, coloured, count, local},
};
use crate::{
    config::{Config, PATH},
    control::{
        api::{MODELS, ModelBack, NewModel},
        client,
    },
};

const EXAMPLES: &str = "\
Examples:
  wardtap model list
  wardtap model verify site.onnx
  wardtap model load site.onnx --reason 'trained on the flows of November, change 4712'
  wardtap model rollback --reason 'too many strange flows since the change'

A model is NAME.onnx with NAME.manifest.json beside it. What it has to pass before it is used: docs/models.md.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ModelCommand {
    /// Show the model in use, the one before, and how many flows were scored
    List(Shown),
    /// Examine a model as the daemon does; no daemon is needed
    Verify(VerifyArgs),
    /// Put a model in use, if it passes
    #[command(after_help = EXAMPLES)]
    Load(LoadArgs),
    /// Train a model on the site's own flows, hold it against the one in use, and load it if it is no worse
    #[command(after_help = retrain::EXAMPLES)]
    Retrain(retrain::RetrainArgs),
    /// Put the model before in use again
    Rollback(RollbackArgs),
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The ONNX file
    file: PathBuf,
    /// Configuration with runtime and trusted keys; without it /etc/wardtap/wardtap.toml, if it is there
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The ONNX Runtime's library, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct LoadArgs {
    /// The ONNX file
    file: PathBuf,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct RollbackArgs {
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    /// The model of windows, and not that of flows
    #[arg(long)]
    windows: bool,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, command: &ModelCommand) -> anyhow::Result<ExitCode> {
    match command {
        ModelCommand::List(shown) => {
            let summary: Summary = client::get(socket, MODELS)?;
            if shown.json {
                print_json(&summary)?;
            } else {
                print(&list(&summary))?;
            }
        }
        ModelCommand::Verify(args) => return verify(args),
        ModelCommand::Retrain(args) => return retrain::run(socket, args),
        ModelCommand::Load(args) => {
            let new = read(&args.file, &args.reason)?;
            let loaded: Loaded = client::post(socket, &format!("{MODELS}/load"), &new)?;
            changed(args.shown, &loaded)?;
        }
        ModelCommand::Rollback(args) => {
            let back = ModelBack {
                reason: args.reason.clone(),
                windows: args.windows,
            };
            let loaded: Loaded = client::post(socket, &format!("{MODELS}/rollback"), &back)?;
            changed(args.shown, &loaded)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A model as it is sent to the daemon.
fn read(path: &Path, reason: &str) -> anyhow::Result<NewModel> {
    let file = ModelFile::read(path)?;
    let manifest = String::from_utf8(file.manifest)
        .with_context(|| format!("the manifest of {} is no text", path.display()))?;
    Ok(NewModel {
        name: file.name,
        graph: STANDARD.encode(file.graph),
        manifest,
        reason: reason.to_owned(),
        no_worse: false,
    })
}

fn changed(shown: Shown, loaded: &Loaded) -> anyhow::Result<()> {
    if shown.json {
        return print_json(loaded);
    }
    let mut text = passed(&loaded.checks);
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "{} is in use; it replaces {}",
        loaded.about.name,
        loaded.replaces.as_deref().map_or("none", short)
    );
    print(&text)
}

fn passed(checks: &[Check]) -> String {
    checks.iter().fold(String::new(), |mut text, check| {
        let ok = coloured("ok  ", Colour::Green);
        let _ = writeln!(text, "{ok}  {}: {}", check.what, check.found);
        text
    })
}

fn list(summary: &Summary) -> String {
    let mut text = facts(summary);
    for warning in &summary.warnings {
        let warns = coloured("Warning:", Colour::Yellow);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{warns} {warning}");
    }
    text
}

/// How windows are judged where there is no model of them.
const NO_WINDOWS: &str = "no model, by sums of surprises";

/// Which models there are, and what they have scored.
pub(super) fn facts(summary: &Summary) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    match (&summary.model, &summary.why_none) {
        (Some(about), _) => {
            line(format!("In use: {}", described(about)));
            line(format!("  SHA-256 {}", about.sha256));
            line(format!("  {}", about.signed));
            if let Some(entry) = &summary.entry {
                line(format!("  {}", came(entry)));
            }
        }
        (None, why) => line(format!(
            "In use: none; {}",
            why.as_deref().unwrap_or("nobody says why")
        )),
    }
    match &summary.previous {
        Some(entry) => line(format!(
            "Before: {} ({}), {}",
            entry.name,
            short(&entry.sha256),
            came(entry)
        )),
        None => line("Before: none".to_owned()),
    }
    match &summary.runtime {
        Some(path) => line(format!("ONNX Runtime: {}", path.display())),
        None => line("ONNX Runtime: none".to_owned()),
    }
    line(flows(summary));
    let windows = summary.windows.as_deref();
    line(format!("Windows: {}", windows.unwrap_or(NO_WINDOWS)));
    if let Some(entry) = &summary.windows_entry {
        line(format!("  {}, {}", short(&entry.sha256), came(entry)));
    }
    if let Some(entry) = &summary.windows_previous {
        line(format!(
            "  before: {} ({}), {}",
            entry.name,
            short(&entry.sha256),
            came(entry)
        ));
    }
    text
}

fn described(about: &About) -> String {
    format!(
        "{} ({}), made {}, of {} rows and calibrated with {}",
        about.name,
        about.trainer,
        about.created,
        count(about.rows.train),
        count(about.rows.calibrate)
    )
}

fn came(entry: &Entry) -> String {
    format!(
        "loaded {} by {}: {}",
        local(entry.loaded),
        entry.by,
        entry.reason
    )
}

fn flows(summary: &Summary) -> String {
    let it = summary.flows;
    format!(
        "Flows: {} scored, {} strange; not scored: {} too many waited, {} without a model, {} failed",
        count(it.scored),
        count(it.strange),
        count(it.queue_full),
        count(it.no_model),
        count(it.failed)
    )
}

/// A line for `wardtap status`.
pub(super) fn in_status(summary: &Summary) -> String {
    match (&summary.model, &summary.why_none) {
        (Some(about), _) => format!(
            "Model: {} ({}), {}; {}; windows: {}",
            about.name,
            about.trainer,
            short(&about.sha256),
            flows(summary),
            summary.windows.as_deref().unwrap_or(NO_WINDOWS)
        ),
        (None, why) => format!(
            "Model: none, statistics and protocol detectors go on without: {}",
            why.as_deref().unwrap_or("nobody says why")
        ),
    }
}

/// What `verify` found.
#[derive(Serialize)]
struct Verified {
    file: PathBuf,
    passed: bool,
    checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
}

#[derive(Serialize)]
struct Failed {
    check: String,
    why: String,
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None if Path::new(PATH).exists() => Config::read(PATH.as_ref())?,
        None => Config::default(),
    };
    let trusted = &config.model.trusted_keys;
    let named = args.runtime.as_ref().or(config.model.runtime.as_ref());
    let mut verified = Verified {
        file: args.file.clone(),
        passed: false,
        checks: Vec::new(),
        failed: None,
        about: None,
    };
    let failed = |check: &str, why: String| {
        Some(Failed {
            check: check.to_owned(),
            why,
        })
    };
    match (
        ModelFile::read(&args.file),
        Runtime::load(named.map(PathBuf::as_path)),
    ) {
        (Err(refusal), _) => verified.failed = failed(refusal.check(), refusal.to_string()),
        (Ok(file), Ok(runtime)) => {
            let gate = Gate {
                trusted,
                recorded: &[],
            };
            let examination = examine(&file, &runtime, &gate);
            verified.checks = examination.checks;
            match examination.result {
                Ok(model) => {
                    verified.passed = true;
                    verified.about = Some(model.about().clone());
                }
                Err(refusal) => verified.failed = failed(refusal.check(), refusal.to_string()),
            }
        }
        // Half of the gate is better than none, and is not all of it.
        (Ok(file), Err(error)) => {
            let (checks, result) = examine_outside(&file, trusted);
            verified.checks = checks;
            verified.failed = match result {
                Ok(about) => {
                    verified.about = Some(about);
                    failed("runtime", error.to_string())
                }
                Err(refusal) => failed(refusal.check(), refusal.to_string()),
            };
        }
    }
    if args.shown.json {
        print_json(&verified)?;
    } else {
        print(&text(&verified))?;
    }
    Ok(if verified.passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(verified: &Verified) -> String {
    let mut text = passed(&verified.checks);
    let file = verified.file.display();
    let _ = match &verified.failed {
        Some(Failed { check, why }) if check == "runtime" => writeln!(
            text,
            "{}  {check}: {why}\n{file} was not examined to the end",
            coloured("FAIL", Colour::Red)
        ),
        Some(Failed { check, why }) => writeln!(
            text,
            "{}  {check}: {why}\n{file} is refused",
            coloured("FAIL", Colour::Red)
        ),
        None => writeln!(
            text,
            "{file} passes; the daemon tries it with the site's flows too"
        ),
    };
    text
}
