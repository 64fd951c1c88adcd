//! `wardtap audit`.

use std::{collections::VecDeque, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    Shown, print, print_json,
    table::{count, local, table},
};
use crate::{
    audit::{self, FILE, JournalError},
    config::{Config, PATH},
};

const EXAMPLES: &str = "\
Examples:
  wardtap audit verify
  wardtap audit verify /var/lib/wardtap/audit.jsonl --json
  wardtap audit show --last 50";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AuditCommand {
    /// Say whether any entry was changed, removed or put elsewhere; exit code 1 if so
    Verify(TrailArgs),
    /// Show the last entries
    Show(ShowArgs),
}

#[derive(Args)]
pub(super) struct TrailArgs {
    /// The trail [default: audit.jsonl in the state directory of the configuration]
    file: Option<PathBuf>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    trail: TrailArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
}

impl TrailArgs {
    fn path(&self) -> PathBuf {
        let default = || {
            let config = Config::read(PATH.as_ref()).unwrap_or_default();
            config.state.directory.join(FILE)
        };
        self.file.clone().unwrap_or_else(default)
    }
}

pub(super) fn run(command: &AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => verify(args),
        AuditCommand::Show(args) => show(args),
    }
}

fn verify(args: &TrailArgs) -> anyhow::Result<ExitCode> {
    let path = args.path();
    match audit::read(&path, |_| {}) {
        Ok(summary) if args.shown.json => print_json(&summary)?,
        Ok(summary) => {
            let torn = if summary.torn > 0 {
                format!(
                    "; {} bytes after them belong to an entry that is being written, or was not written to its end",
                    summary.torn
                )
            } else {
                String::new()
            };
            print(&format!(
                "{}: {} entries, none changed, removed or put elsewhere{torn}\nlast hash {}\n",
                path.display(),
                count(summary.entries),
                summary.head
            ))?;
        }
        Err(JournalError::Broken { line, flaw, .. }) if args.shown.json => {
            print_json(&serde_json::json!({ "line": line, "flaw": flaw.to_string() }))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let mut last = VecDeque::new();
    audit::read(&args.trail.path(), |entry| {
        if last.len() == args.last {
            last.pop_front();
        }
        if args.last > 0 {
            last.push_back(entry);
        }
    })?;
    if args.trail.shown.json {
        print_json(&last)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["entry", "time", "who", "what"]);
    for entry in last {
        rows.add_row([
            entry.seq.to_string(),
            local(entry.time),
            entry.actor.to_string(),
            entry.action.to_string(),
        ]);
    }
    print(&format!("{rows}\n"))?;
    Ok(ExitCode::SUCCESS)
}
