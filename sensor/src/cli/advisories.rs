//! `wardtap advisories`.

use std::{
    fs::File,
    io::Read,
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use sensor_analysis::exposure::advisory::{
    Advisory, AdvisoryVerdict, Imported, Judgement, Match, Matches, SIZE_MAX,
};
use serde::Serialize;

use super::{
    Shown, Under, print, print_json,
    table::{count, list, or_dash, table},
};
use crate::control::{
    api::{ADVISORIES, NewAdvisory, NewJudgement, OldAdvisory},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap advisories import icsma-*.json
  wardtap advisories match
  wardtap advisories confirm ICSMA-25-001-01 10.77.1.10 --reason 'version 4.1 by its service page'
  wardtap advisories dismiss ICSMA-25-001-01 10.77.1.11 --reason 'another product of the same maker'

Advisories are documents of CSAF 2.0, as authorities and makers publish them. The sensor compares the names of vendors and
products with what devices say of themselves, shows how well they agree and by which words, and leaves the rest to you:
a match counts as possible until someone confirms it.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AdvisoriesCommand {
    /// Import documents; one with the number of another replaces it
    Import(ImportArgs),
    /// List those that were imported
    List(Shown),
    /// Show which devices they may be about, and why
    Match(MatchArgs),
    /// Say that an advisory is about a device
    Confirm(JudgeArgs),
    /// Say that it is not
    Dismiss(JudgeArgs),
    /// Take an advisory away, with what was said of its matches
    Remove(RemoveArgs),
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// Files (CSAF 2.0, JSON)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct MatchArgs {
    /// Also those whose texts agree too little to count
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
}

#[derive(Args)]
pub(super) struct JudgeArgs {
    /// The advisory's number
    advisory: String,
    /// The device's IP address
    device: IpAddr,
    /// Why: what the next one reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct RemoveArgs {
    /// The advisory's number
    advisory: String,
    /// Why: what the next one reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, command: &AdvisoriesCommand) -> anyhow::Result<ExitCode> {
    match command {
        AdvisoriesCommand::Import(args) => import(socket, args),
        AdvisoriesCommand::List(shown) => {
            let all: Vec<Advisory> = client::get(socket, ADVISORIES)?;
            say(*shown, &all, || listed(&all))
        }
        AdvisoriesCommand::Match(args) => {
            let all: Matches =
                client::get(socket, &args.under.target(&format!("{ADVISORIES}/matches")))?;
            say(args.shown, &all, || matched(&all, args.all))
        }
        AdvisoriesCommand::Confirm(args) => judge(socket, args, AdvisoryVerdict::Confirmed),
        AdvisoriesCommand::Dismiss(args) => judge(socket, args, AdvisoryVerdict::Dismissed),
        AdvisoriesCommand::Remove(args) => {
            let old = OldAdvisory {
                advisory: args.advisory.clone(),
                reason: args.reason.clone(),
            };
            client::post::<_, ()>(socket, &format!("{ADVISORIES}/remove"), &old)?;
            say(args.shown, &old, || format!("{} is gone\n", old.advisory))
        }
    }
}

fn say<T: Serialize>(
    shown: Shown,
    value: &T,
    words: impl FnOnce() -> String,
) -> anyhow::Result<ExitCode> {
    if shown.json {
        print_json(value)?;
    } else {
        print(&words())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Each file by itself: a bad one does not keep the others out.
fn import(socket: &Path, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let mut done: Vec<Imported> = Vec::new();
    for path in &args.files {
        let imported = read(path).and_then(|text| {
            let imported = client::post(socket, ADVISORIES, &NewAdvisory { text });
            imported.with_context(|| path.display().to_string())
        });
        match imported {
            Ok(one) => done.push(one),
            Err(error) => {
                eprintln!("wardtap: {}", super::told(&error));
                code = ExitCode::FAILURE;
            }
        }
    }
    if args.shown.json {
        print_json(&done)?;
        return Ok(code);
    }
    for Imported { advisory, replaced } in &done {
        let replaced = replaced.as_ref();
        let instead = replaced.map_or_else(String::new, |old| {
            format!(", in the place of version {old}")
        });
        print(&format!(
            "{} version {}{instead}: {}; affected products: {}\n",
            advisory.id,
            advisory.version,
            advisory.title,
            advisory.products.len()
        ))?;
    }
    Ok(code)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    // One byte more shows that it is too large.
    let limit = SIZE_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    let size = read.with_context(|| format!("can't read {}", path.display()))?;
    anyhow::ensure!(
        size <= SIZE_MAX,
        "{} is larger than the {} bytes that are read",
        path.display(),
        count(SIZE_MAX as u64)
    );
    Ok(text)
}

fn judge(socket: &Path, args: &JudgeArgs, verdict: AdvisoryVerdict) -> anyhow::Result<ExitCode> {
    let new = NewJudgement {
        advisory: args.advisory.clone(),
        device: args.device.to_canonical(),
        verdict,
        reason: args.reason.clone(),
    };
    let judged: Judgement = client::post(socket, &format!("{ADVISORIES}/judge"), &new)?;
    say(args.shown, &judged, || {
        format!(
            "{} is {} for {}\n",
            judged.advisory,
            judged.verdict.label(),
            judged.device.address
        )
    })
}

fn listed(all: &[Advisory]) -> String {
    if all.is_empty() {
        return "no advisories; `wardtap advisories import` takes them\n".to_owned();
    }
    let mut rows = table(&[
        "number",
        "version",
        "released",
        "publisher",
        "title",
        "affected",
    ]);
    for one in all {
        rows.add_row([
            one.id.clone(),
            one.version.clone(),
            one.released.chars().take(10).collect(),
            one.publisher.clone(),
            one.title.clone(),
            list(one.products.iter().map(|it| it.product.clone())),
        ]);
    }
    format!("{rows}\n{} advisories\n", all.len())
}

fn matched(matches: &Matches, all: bool) -> String {
    let mut rows = table(&[
        "score", "advisory", "device", "CVSS", "product", "is", "because",
    ]);
    let below = matches.below.iter().filter(|_| all);
    for one in matches.found.iter().chain(below) {
        rows.add_row([
            format!("{:.2}", one.score),
            one.advisory.clone(),
            one.device.to_string(),
            or_dash(one.product.cvss.as_ref()),
            format!(
                "{} {} {}",
                one.product.vendor,
                one.product.product,
                list(&one.product.versions)
            ),
            standing(one, matches.threshold),
            one.because(),
        ]);
    }
    let more = if matches.below.is_empty() || all {
        String::new()
    } else {
        format!(
            "; {} more agree less than {:.2}: --all shows them",
            matches.below.len(),
            matches.threshold
        )
    };
    let omitted = match matches.omitted {
        0 => String::new(),
        some => format!("; {some} were left out, being too many"),
    };
    let end = format!("{} matches{more}{omitted}\n", matches.found.len());
    if rows.is_empty() {
        end
    } else {
        format!("{rows}\n{end}")
    }
}

fn standing(one: &Match, threshold: f64) -> String {
    match &one.judgement {
        Some(said) => format!("{} by {}: {}", said.verdict.label(), said.by, said.reason),
        None if one.score >= threshold => "possible".to_owned(),
        None => "not counted".to_owned(),
    }
}
