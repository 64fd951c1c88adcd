//! `wardtap export`.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufWriter, IsTerminal},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use sensor_analysis::{
    model::{ExportedRow, Row, csv},
    replay::{Replay, ReplayOptions},
};
use sensor_facts::observation::Observation;
use sensor_sessions::capture::CaptureFile;

use super::{
    filters::Filtered,
    progress::{LONG, progress_bar, show, warn},
};
use crate::{
    control::{
        api::{self, EXPORTED_ROWS, Query},
        client,
    },
    list::Choice,
};

const EXAMPLES: &str = "\
Examples:
  wardtap export features capture.pcapng --output features.csv
  wardtap export features monday.pcap tuesday.pcap > features.csv
  wardtap export features --output lately.csv          the flows that the daemon has recorded
  wardtap export features --device 10.77.1.0/24 --since 2h > imaging.csv

One line for each flow (and one every five minutes while a flow is open), in the order of time: when, who, whom, and the
features that models are trained on and asked about. There is no patient data in it. What comes from the daemon has
pseudonyms for addresses, the same ones each time, and keeps subnets together; what comes from captures has addresses.";

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// The features of flows as models see them, as CSV
    #[command(after_help = EXAMPLES)]
    Features(FeaturesArgs),
}

#[derive(Args)]
pub(super) struct FeaturesArgs {
    /// Captures (pcap or pcapng), in the order in which they were made; - is the standard input; no root needed.
    /// Without any: the daemon's sample of the flows of late, at most ten a second and 16,384
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write them: whole, or not at all. Without it: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With the addresses that the daemon saw; else those are pseudonyms under the site's key
    #[arg(long, conflicts_with = "files")]
    addresses: bool,
    #[command(flatten)]
    filter: Filtered<ExportedRow>,
}

/// Rows that the daemon has.
pub(super) fn rows(socket: &Path, path: &str, wanted: &Query) -> anyhow::Result<Vec<ExportedRow>> {
    Ok(client::get(socket, &api::target(path, wanted))?)
}

pub(super) fn run(socket: &Path, command: &ExportCommand) -> anyhow::Result<ExitCode> {
    let ExportCommand::Features(args) = command;
    let mut rows: Vec<ExportedRow> = if args.files.is_empty() {
        let wanted = Query {
            pseudonymise: !args.addresses,
            ..args.filter.query()
        };
        self::rows(socket, EXPORTED_ROWS, &wanted)?
    } else {
        of_captures(args)?
    };
    let mut rows: Vec<Row> = rows.drain(..).map(|one| one.row).collect();
    // Flows are reported when they are over, which is not the order of their last packets.
    rows.sort_by_key(|row| row.time);
    match &args.output {
        None => csv::write(&mut BufWriter::new(io::stdout().lock()), &rows)?,
        Some(path) => {
            write_file(path, |out| csv::write(out, &rows))
                .with_context(|| format!("can't write {}", path.display()))?;
            eprintln!("{} rows written to {}", rows.len(), path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn of_captures(args: &FeaturesArgs) -> anyhow::Result<Vec<ExportedRow>> {
    let mut replay = Replay::new(ReplayOptions::observing());
    let mut rows = Vec::new();
    let row = |seen: &Observation| {
        Some(ExportedRow {
            row: Row::of(seen)?,
            label: None,
        })
    };
    let mut take = |seen: &[Observation]| rows.extend(seen.iter().filter_map(row));
    for path in &args.files {
        let file = CaptureFile::open(path)?;
        let bar = file
            .size()
            .filter(|size| *size >= LONG && io::stderr().is_terminal())
            .map(|size| progress_bar(size, path));
        let reading = replay.observe(file, |seen, progress| {
            take(&seen);
            if let Some(bar) = &bar {
                show(bar, progress);
            }
            ControlFlow::Continue(())
        })?;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        warn(path, &reading);
    }
    replay.finish(Vec::clear);
    take(&replay.take_observations());
    if replay.is_disordered() {
        eprintln!(
            "wardtap: a file begins before the end of the one before it; name them in the order in which they were \
             captured"
        );
    }
    let query = args.filter.query();
    let choice = Choice::new(&query, &replay.pipeline().hosts(), &[]);
    let choice = choice.map_err(anyhow::Error::msg)?;
    rows.retain(|row| choice.takes(row));
    Ok(rows)
}

/// Beside the file first, then under its name.
pub(super) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut name: OsString = path.into();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = File::create(&new)
        .and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.into_inner()
                .map_err(io::IntoInnerError::into_error)?
                .sync_all()
        })
        .and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        // It may not be there.
        let _ = std::fs::remove_file(&new);
    }
    written
}
