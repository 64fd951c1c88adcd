//! `wardtap audit`.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::{Args, Subcommand};

use super::{
    Shown, print, print_json,
    table::{count, local, table},
};
use crate::{
    audit::{self, FILE, JournalError},
    config::{Config, PATH},
};

/// How often a trail whose last entries are not signed yet is looked at again, and after which time.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  wardtap audit verify
  wardtap audit verify /var/lib/wardtap/audit.jsonl --json
  wardtap audit show --last 50";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AuditCommand {
    /// Say whether any entry was changed, removed or put elsewhere; exit code 1 if so
    Verify(VerifyArgs),
    /// Show the last entries
    Show(ShowArgs),
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    trail: TrailArgs,
    /// The public key that has to have signed the checkpoints, 64 hexadecimal digits, as kept elsewhere [default: the
    /// one that they name]
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
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

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (path, json) = (args.trail.path(), args.trail.shown.json);
    let mut verified = audit::verify(&path, args.key.as_deref(), |_| {});
    for _ in 0..TRIES {
        // The daemon has written entries and is about to sign them.
        if !matches!(verified, Err(JournalError::Behind { .. })) {
            break;
        }
        thread::sleep(AGAIN);
        verified = audit::verify(&path, args.key.as_deref(), |_| {});
    }
    match verified {
        Ok((summary, checkpoints)) => {
            let verified = Verified {
                signed: checkpoints.last(),
                checkpoints: checkpoints.len(),
                key: checkpoints.key.clone(),
                summary,
            };
            if json {
                print_json(&verified)?;
            } else {
                print(&verified.words(&path))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if json && error.is_tampering() => {
            print_json(&serde_json::json!({
                "error": error.to_string(),
                "entry": error.entry(),
            }))?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// A trail in which nothing was changed.
#[derive(serde::Serialize)]
struct Verified {
    #[serde(flatten)]
    summary: audit::Summary,
    /// The last entry that was signed.
    signed: u64,
    checkpoints: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Verified {
    fn words(&self, path: &Path) -> String {
        let summary = &self.summary;
        let torn = if summary.torn > 0 {
            format!(
                "; {} bytes after them belong to an entry that is being written, or was not written to its end",
                summary.torn
            )
        } else {
            String::new()
        };
        let key = self.key.as_deref().unwrap_or("-");
        format!(
            "{}: {} entries, none changed, removed or put elsewhere{torn}\nlast hash {}\nsigned to entry {} by {} checkpoints of key {key}\n",
            path.display(),
            count(summary.entries),
            summary.head,
            self.signed,
            count(self.checkpoints as u64),
        )
    }
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
