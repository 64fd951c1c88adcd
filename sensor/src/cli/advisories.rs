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

use super::{Listed, Shown, print, print_json, table::count};
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
    List(Box<Listed<Advisory>>),
    /// Show which devices they may be about, and why
    Match(Box<MatchArgs>),
    /// Say that an advisory is about a device
    Confirm(JudgeArgs),
    /// Say that it is not
    Dismiss(JudgeArgs),
    /// Remove an advisory, with the judgements about its matches
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
    listed: Listed<Match>,
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
        AdvisoriesCommand::List(listed) => {
            let all: Vec<Advisory> = client::get(socket, &listed.under.target(ADVISORIES))?;
            let page = listed.choose(socket, all)?;
            if listed.shown.json {
                print_json(&page.items)?;
            } else if page.total == 0 {
                print("no advisories; `wardtap advisories import` takes them\n")?;
            } else {
                print(&listed.table(&page))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        AdvisoriesCommand::Match(args) => matched(socket, args),
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

fn matched(socket: &Path, args: &MatchArgs) -> anyhow::Result<ExitCode> {
    let listed = &args.listed;
    let target = listed.under.target(&format!("{ADVISORIES}/matches"));
    let matches: Matches = client::get(socket, &target)?;
    let found = listed.choose(socket, matches.found)?;
    let below = listed.choose(socket, matches.below)?;
    if listed.shown.json {
        print_json(&Matches {
            found: found.items,
            below: below.items,
            ..matches
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&listed.table(&found))?;
    if args.all && below.total > 0 {
        let least = matches.threshold;
        print(&format!(
            "\nNot counted: the texts agree less than {least:.2}\n{}",
            listed.table(&below)
        ))?;
    } else if below.total > 0 {
        print(&format!(
            "{} more agree less than {:.2}: --all shows them\n",
            below.total, matches.threshold
        ))?;
    }
    if matches.omitted > 0 {
        print(&format!(
            "{} were left out, being too many\n",
            matches.omitted
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
