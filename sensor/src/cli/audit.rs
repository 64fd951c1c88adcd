//! `wardtap audit`.

use std::{
    collections::VecDeque,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use sensor_evidence::audit::{
    self, Entry, FILE,
    bundle::{self, Header},
};

use super::{
    Listed, Shown, Under, export::write_file, filters::TimeArgs, print, print_json, table::count,
};
use crate::{
    config::{Config, PATH},
    control::{
        api::{self, AUDIT, EXPORTED_TRAIL, LIMIT_MAX, Query},
        client,
    },
};

const EXAMPLES: &str = "\
Examples:
  wardtap audit verify
  wardtap audit verify /var/lib/wardtap/audit.jsonl --json
  wardtap audit show --limit 50
  wardtap audit show --since 8h --device 10.1.4.66
  wardtap audit export --output november.bundle --since 30d
  wardtap audit verify november.bundle --key 8a88e3dd...     on any machine";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AuditCommand {
    /// Say whether any entry was changed, removed or put elsewhere; exit code 1 if so
    Verify(VerifyArgs),
    /// Show the last entries, the latest last
    #[command(after_help = EXAMPLES)]
    Show(Box<ShowArgs>),
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
    /// The trail [default: that of the daemon; if none runs, audit.jsonl in the state directory of the configuration]
    #[arg(conflicts_with = "pseudonymise")]
    file: Option<PathBuf>,
    #[command(flatten)]
    listed: Listed<Entry>,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Where to write it: whole, or not at all
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    time: TimeArgs,
    #[command(flatten)]
    under: Under,
}

/// The trail that was named, or that of the configuration.
fn trail(file: Option<&PathBuf>) -> PathBuf {
    let default = || {
        let config = Config::read(PATH.as_ref()).unwrap_or_default();
        config.state.directory.join(FILE)
    };
    file.cloned().unwrap_or_else(default)
}

pub(super) fn run(socket: &Path, command: &AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => verify(args),
        AuditCommand::Show(args) => show(socket, args),
        AuditCommand::Export(args) => export(socket, args),
    }
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (path, json) = (trail(args.trail.file.as_ref()), args.trail.shown.json);
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
    let (since, until) = args.time.ago();
    let since = since.map_or_else(String::new, |since| format!("&since={since}"));
    let target = format!("{EXPORTED_TRAIL}?until={until}{since}");
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

/// What the daemon says, whose trail it is wherever its state is; none where a file is to be read.
fn asked(
    socket: &Path,
    args: &ShowArgs,
    most: usize,
) -> Option<Result<VecDeque<Entry>, client::ClientError>> {
    let listed = &args.listed;
    if args.file.is_some() || (most > LIMIT_MAX && !listed.under.pseudonymise) {
        return None;
    }
    let query = Query {
        limit: most,
        offset: 0,
        sort: None,
        ..listed.query()
    };
    match client::get(socket, &api::target(AUDIT, &query)) {
        // Without a daemon the trail is there all the same; pseudonyms are not.
        Err(client::ClientError::NotRunning { .. } | client::ClientError::NotPermitted { .. })
            if !listed.under.pseudonymise =>
        {
            None
        }
        answer => Some(answer),
    }
}

/// The last entries that are wanted, the latest last.
fn show(socket: &Path, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let listed = &args.listed;
    let most = listed.offset.saturating_add(listed.limit);
    let last: VecDeque<Entry> = if let Some(answer) = asked(socket, args, most) {
        answer?
    } else {
        let choice = listed.choice(socket)?;
        audit::last_of(&trail(args.file.as_ref()), most, |it| choice.takes(it))?
    };
    let kept = last.len().saturating_sub(listed.offset);
    let entries = listed.sorted(last.into_iter().take(kept).collect())?;
    if listed.shown.json {
        print_json(&entries)?;
    } else {
        print(&super::rows::rows(&entries, &listed.columns))?;
    }
    Ok(ExitCode::SUCCESS)
}
