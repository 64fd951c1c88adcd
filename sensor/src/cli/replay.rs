//! `wardtap replay`.

mod sections;
mod summary;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use sensor_analysis::{
    AnalysisOptions,
    replay::{Replay, ReplayOptions},
};
use sensor_common::counter::Counter;
use sensor_facts::{event::Event, time::Time};
use sensor_sessions::{
    capture::{CaptureFile, file::Reading},
    pipeline::PipelineOptions,
};

use sections::Section;

use super::{
    filters::FilterArgs,
    print,
    progress::{LONG, progress_bar, show, warn},
};

/// Bytes of JSON lines that are written at once.
const BUFFER: usize = 64 * 1024;

const EXAMPLES: &str = "\
Examples:
  wardtap replay capture.pcapng                        what a capture holds, and what in it is suspicious
  wardtap replay capture.pcap --section alerts,dicom   the alerts explained, and the DICOM associations
  wardtap replay capture.pcap --section flows --device 10.77.1.10 --limit 20
  wardtap replay --json capture.pcap | jq .event_type  its events, one a line
  tcpdump -w - -i eth1 | wardtap replay -              from a pipe, to its end";

/// Read capture files as if they came in at an interface; no root needed
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    /// Captures (pcap or pcapng), in the order in which they were made; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the events to standard output, one JSON object a line
    #[arg(long, conflicts_with = "summary")]
    json: bool,
    /// Only totals, fast: no alerts, and no lists of flows, sessions and hosts
    #[arg(long)]
    summary: bool,
    /// What to print after the summary
    #[arg(long = "section", value_enum, value_name = "A,B,C", value_delimiter = ',', conflicts_with_all = ["json", "summary"])]
    sections: Vec<Section>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Rows of a section at most
    #[arg(long, value_name = "N", default_value_t = 50, requires = "sections")]
    limit: usize,
    /// Read the files so many times, one after the other by their clock
    #[arg(long = "loop", value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Say how fast it was, and how much memory it took
    #[arg(long)]
    stats: bool,
}

/// Replays the captures.
///
/// # Errors
/// When nothing of a file can be read, or the events can't be written.
pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    sections::check(args)?;
    anyhow::ensure!(
        args.times == 1 || !args.files.iter().any(|path| path == Path::new("-")),
        "--loop can't read the standard input (-) a second time: name a file"
    );
    let mut replay = Replay::new(ReplayOptions {
        pipeline: PipelineOptions {
            flow_events: args.json,
            ..PipelineOptions::default()
        },
        // Totals only are wanted fast.
        analysis: (!args.summary).then(AnalysisOptions::default),
        ..ReplayOptions::default()
    });
    let mut sink = Sink::new(args.json);
    let mut code = ExitCode::SUCCESS;
    let begin = Instant::now();
    for time in 0..args.times {
        if time > 0 {
            replay.begin_again();
        }
        for path in &args.files {
            match read(&mut replay, path, &mut sink) {
                Ok(reading) if time == 0 => warn(path, &reading),
                Ok(_) => {}
                // What the other files hold is not lost with this one.
                Err(error) if args.files.len() > 1 => {
                    eprintln!("wardtap: {error:#}");
                    code = ExitCode::FAILURE;
                }
                Err(error) => return Err(error),
            }
            sink.check()?;
        }
    }
    replay.finish(|events| sink.take(events));
    let elapsed = begin.elapsed();
    sink.end(&replay)?;
    if replay.is_disordered() {
        eprintln!(
            "wardtap: a file begins before the end of the one before it; name them in the order in which \
             they were captured"
        );
    }
    if !args.json {
        print(&summary::text(&replay, args.summary))?;
        if args.sections.is_empty() && !args.summary {
            print(&sections::contents(&replay))?;
        }
        print(&sections::text(&replay, args)?)?;
    }
    if args.stats {
        let text = stats(&replay, elapsed);
        if args.json {
            eprint!("{text}");
        } else {
            print(&text)?;
        }
    }
    Ok(code)
}

fn read(replay: &mut Replay, path: &Path, sink: &mut Sink) -> anyhow::Result<Reading> {
    let file = CaptureFile::open(path)?;
    let bar = file
        .size()
        .filter(|size| *size >= LONG && io::stderr().is_terminal())
        .map(|size| progress_bar(size, path));
    let reading = replay.read(file, |events, progress| {
        sink.take(events);
        if let Some(bar) = &bar {
            show(bar, progress);
        }
        if sink.error.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(reading?)
}

/// Where the events go.
struct Sink {
    /// Whole lines that are not written yet; none where no events are wanted.
    lines: Option<Vec<u8>>,
    error: Option<io::Error>,
}

impl Sink {
    fn new(json: bool) -> Self {
        Self {
            lines: json.then(|| Vec::with_capacity(BUFFER + BUFFER / 4)),
            error: None,
        }
    }

    fn take(&mut self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            self.write(&event);
        }
    }

    fn write(&mut self, event: &Event) {
        let (Some(lines), None) = (&mut self.lines, &self.error) else {
            return;
        };
        match event.write_json(lines) {
            Ok(()) => lines.push(b'\n'),
            Err(error) => self.error = Some(error),
        }
        if lines.len() >= BUFFER {
            self.flush();
        }
    }

    /// Writes the lines that there are.
    fn flush(&mut self) {
        if let (Some(lines), None) = (&mut self.lines, &self.error) {
            self.error = io::stdout().write_all(lines).err();
            lines.clear();
        }
    }

    fn check(&mut self) -> anyhow::Result<()> {
        self.error
            .take()
            .map_or(Ok(()), |error| Err(error).context("can't write the events"))
    }

    /// The last line: the counters.
    fn end(&mut self, replay: &Replay) -> anyhow::Result<()> {
        let time = replay.span().map_or(0, |span| span.last);
        let time = Time(i64::try_from(time).unwrap_or(i64::MAX));
        self.write(&Event::stats(time, counters(replay)));
        self.flush();
        self.check()
    }
}

impl Drop for Sink {
    /// Of a file that can't be read to its end, what was read is written.
    fn drop(&mut self) {
        self.flush();
    }
}

/// The counters under the names that the daemon's `stats` events have.
fn counters(replay: &Replay) -> BTreeMap<String, u64> {
    let pipeline = replay.pipeline().stats();
    let own = Counter::ALL
        .iter()
        .map(|counter| (counter.label(), replay.counters().get(*counter)));
    let more = [
        ("ring_offered", replay.engine().events()),
        ("ring_received", pipeline.records),
        ("ring_bad", pipeline.bad()),
        ("chunks_lost", pipeline.chunks_lost),
        ("flows_evicted", replay.engine().evicted()),
        ("associations", pipeline.associations),
        ("hl7_messages", pipeline.hl7_messages),
    ];
    own.chain(more)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn stats(replay: &Replay, elapsed: Duration) -> String {
    let packets = replay.counters().get(Counter::Packets);
    let nanoseconds = elapsed.as_nanos().max(1);
    let rate = u128::from(packets) * 1_000_000_000 / nanoseconds;
    let memory = peak_memory().map_or_else(
        || "unknown".to_owned(),
        |kilobytes| super::table::bytes(kilobytes * 1_024),
    );
    format!(
        "{packets} packets in {:.3} s: {rate} packets/s; peak memory {memory}\n",
        elapsed.as_secs_f64()
    )
}

/// The most memory that the process has held, in KiB (`proc_pid_status(5)`).
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
