//! `wardtap audit`.

use std::{
    collections::VecDeque,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use sensor_evidence::audit::{
    self, Entry, FILE,
    bundle::{self, Header},
};
use sensor_facts::setting::Span;

use super::{
    Shown, Under,
    export::write_file,
    print, print_json,
    table::{count, local, table},
};
use crate::{
    config::{Config, PATH},
    control::{
        api::{AUDIT, EXPORTED_TRAIL, under},
        client,
    },
};

const EXAMPLES: &str = "\
Examples:
  wardtap audit verify
  wardtap audit verify /var/lib/wardtap/audit.jsonl --json
  wardtap audit show --last 50
  wardtap audit export --output november.bundle --since 30d
  wardtap audit verify november.bundle --key 8a88e3dd...     on any machine";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AuditCommand {
    /// Say whether any entry was changed, removed or put elsewhere; exit code 1 if so
    Verify(VerifyArgs),
    /// Show the last entries
    Show(ShowArgs),
    /// Write the trail, or a part of it, to one signed file that can be verified on any machine
    #[command(after_help = EXAMPLES)]
    Export(ExportArgs),
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
    /// The trail; for `verify` also a folder of exported segments, one of them, or a bundle of `wardtap audit export`
    /// [default: audit.jsonl in the state directory of the configuration, with all segments before it]
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
    /// What the daemon has, with pseudonyms under the site's key for addresses, names and words of people
    #[arg(long, conflicts_with = "file")]
    pseudonymise: bool,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Where to write it: whole, or not at all
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Only entries from so long ago on
    #[arg(long, value_name = "TIME")]
    since: Option<Span>,
    /// Only entries until so long ago
    #[arg(long, value_name = "TIME")]
    until: Option<Span>,
    #[command(flatten)]
    under: Under,
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

pub(super) fn run(socket: &Path, command: &AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => verify(args),
        AuditCommand::Show(args) => show(socket, args),
        AuditCommand::Export(args) => export(socket, args),
    }
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (path, json) = (args.trail.path(), args.trail.shown.json);
    if bundle::is_bundle(&path).unwrap_or(false) {
        return verify_bundle(&path, args);
    }
    let ((), verified) = audit::verify_settled(&path, args.key.as_deref(), || (), |(), _| {});
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

fn verify_bundle(path: &Path, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let json = args.trail.shown.json;
    match bundle::verify(path, args.key.as_deref(), |_| {}) {
        Ok(header) if json => print_json(&header)?,
        Ok(header) => print(&words(path, &header))?,
        Err(error) if json && error.is_tampering() => {
            print_json(&serde_json::json!({
                "error": error.to_string(),
                "entry": error.entry(),
            }))?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn words(path: &Path, header: &Header) -> String {
    let what = if header.pseudonymised {
        "under pseudonyms, whose chain was made anew by the daemon"
    } else if header.first > 1 {
        "a part of the trail, as they stand there"
    } else {
        "as they stand in the trail"
    };
    let last = header.first + header.entries.saturating_sub(1);
    let original = header.original.as_ref().map_or_else(String::new, |hash| {
        format!("original's last hash, hashed under the site's key: {hash}\n")
    });
    format!(
        "{}: entries {} to {last}, {what}; none changed, removed or put elsewhere\n\
         made {} for {} by wardtap {}\nlast hash {}\n{original}signed, with {} checkpoints, by key {}\n",
        path.display(),
        header.first,
        header.time,
        header.by,
        header.version,
        header.head,
        header.checkpoints,
        header.key,
    )
}

fn export(socket: &Path, args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let seconds = |span: Span| Duration::from(span).as_secs();
    let since = args.since.map(|since| format!("&since={}", seconds(since)));
    let target = format!(
        "{EXPORTED_TRAIL}?until={}{}",
        args.until.map_or(0, seconds),
        since.unwrap_or_default()
    );
    let bundle: String = client::get_report(socket, &args.under.target(&target))?;
    // What the daemon sent is what it signed.
    let header = bundle::verify_bytes(bundle.as_bytes(), None, |_| {})?;
    let output = &args.output;
    write_file(output, |out| out.write_all(bundle.as_bytes()))
        .with_context(|| format!("can't write {}", output.display()))?;
    eprintln!(
        "{} entries written to {}, signed by key {}",
        count(header.entries),
        output.display(),
        header.key
    );
    Ok(ExitCode::SUCCESS)
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
        let mut segments = String::new();
        if summary.segments > 1 {
            segments = format!(
                "{} segments, each follows the one before it\n",
                summary.segments
            );
        }
        if summary.first > 1 {
            segments.push_str("from entry ");
            segments.push_str(&count(summary.first));
            segments.push_str(" on");
            if summary.removed > 0 {
                segments.push_str("; the segments before it, to number ");
                segments.push_str(&summary.removed.to_string());
                segments.push_str(", were removed, as an entry says\n");
            } else {
                segments.push_str(", being a segment by itself\n");
            }
        }
        let entries = match summary.first {
            0 => 0,
            first => summary.entries - first + 1,
        };
        format!(
            "{}: {} entries, none changed, removed or put elsewhere{torn}\n{segments}last hash {}\nsigned to entry {} by {} checkpoints of key {key}\n",
            path.display(),
            count(entries),
            summary.head,
            self.signed,
            count(self.checkpoints as u64),
        )
    }
}

fn show(socket: &Path, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let last = if args.pseudonymise {
        let target = format!("{AUDIT}?last={}", args.last);
        client::get(socket, &under(&target, true))?
    } else {
        audit::last(&args.trail.path(), args.last)?
    };
    shown(&last, args.trail.shown)
}

fn shown(last: &VecDeque<Entry>, shown: Shown) -> anyhow::Result<ExitCode> {
    if shown.json {
        print_json(last)?;
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
