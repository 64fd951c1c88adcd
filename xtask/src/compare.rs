//! `cargo xtask compare`: the same captures through Wardtap and through others, on one core, in turns.
//!
//! What counts is processor time, so that a busy machine matters less, and the difference between a long and a short
//! capture, so that starting (rules, Python, tables) does not count as reading.

mod capture;
mod contender;
mod peers;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    ebpf,
    workspace::{self, output, root, target, write_table},
};

use contender::Contender;
use peers::Peers;

/// Of the captures' folder: one of short flows with attacks among them, one of ordinary traffic.
const CAPTURES: [&str; 2] = ["mix/mix-dev.pcap", "perf/perf-dev.pcap"];
/// How often the long capture holds what the short one holds once.
const TIMES: u32 = 5;
/// The short one has at least so many packets: a small capture is repeated for it.
const LEAST: u64 = 90_000;
/// Goals: so many times the packets a second. Like with like: events written against events written, none against none;
/// the last two without detectors, which the others have none of.
const GOALS: [(Contender, Contender, f64); 7] = [
    (Contender::Wardtap, Contender::Suricata, 5.0),
    (Contender::Wardtap, Contender::SuricataRules, 5.0),
    (Contender::WardtapSilent, Contender::SuricataSilent, 5.0),
    (Contender::Wardtap, Contender::Nfstream, 20.0),
    (Contender::WardtapSilent, Contender::Nfstream, 20.0),
    (Contender::WardtapTotals, Contender::SuricataSilent, 5.0),
    (Contender::WardtapTotals, Contender::Nfstream, 20.0),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Captures to read (pcap, microseconds) instead of mix/mix-dev.pcap and perf/perf-dev.pcap of the captures' folder
    #[arg(long)]
    capture: Vec<PathBuf>,
    /// The `wardtap` to compare, instead of one built for release
    #[arg(long)]
    wardtap: Option<PathBuf>,
    /// Rounds in which all take turns
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The core that they take turns on
    #[arg(long, default_value_t = 1)]
    core: u32,
    /// Write the tables to docs/compare.md, between its marks
    #[arg(long)]
    write: bool,
}

/// What of a contender was measured.
#[derive(Default)]
struct Measured {
    /// Seconds of processor time for the short and the long capture, a round each.
    cpu: Vec<(f64, f64)>,
    /// Most memory of its largest process, kibibytes.
    memory: u64,
    /// What it says of DICOM and HL7 in the short capture.
    clinical: String,
}

impl Measured {
    /// Packets a second of reading, in the middle of the rounds.
    fn rate(&self, packets: f64) -> f64 {
        let differences = self.cpu.iter().map(|(short, long)| long - short);
        packets / middle(differences.collect()).max(1e-3)
    }

    /// Packets a second of the long capture with all that comes before and after.
    fn whole(&self, packets: f64) -> f64 {
        packets / middle(self.cpu.iter().map(|one| one.1).collect()).max(1e-3)
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// `cargo xtask compare`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.rounds > 0,
        "--rounds is 0: nothing would be measured"
    );
    let mut captures = arguments.capture.clone();
    if captures.is_empty() {
        let folder = workspace::captures();
        captures.extend(CAPTURES.map(|name| folder.join(name)));
    }
    for capture in &captures {
        ensure!(
            capture.is_file(),
            "no capture at {} (name one with --capture)",
            capture.display()
        );
    }
    let peers = Peers::ensure()?;
    let wardtap = match &arguments.wardtap {
        Some(path) => path
            .canonicalize()
            .with_context(|| path.display().to_string())?,
        None => ebpf::daemon(true)?,
    };
    let mut text = format!(
        "Measured on {}: {}; {} rounds. {}.\n",
        output("date", &["-u", "+%Y-%m-%d"])
            .unwrap_or_default()
            .trim(),
        processor(),
        arguments.rounds,
        versions(&peers, &wardtap, arguments.wardtap.is_some())?
    );
    for capture in &captures {
        text += &one_capture(capture, &peers, &wardtap, arguments)?;
    }
    println!("\n{text}");
    if arguments.write {
        write_table("docs/compare.md", &text)?;
    }
    Ok(())
}

/// Runs Suricata with its package's rules over a capture, if it was not `done` before; its name with the version, and its
/// file of events in `folder`.
pub(crate) fn suricata(capture: &Path, folder: &Path, done: bool) -> Result<(String, PathBuf)> {
    let peers = Peers::ensure()?;
    if !done {
        let (contender, wardtap) = (Contender::SuricataRules, Path::new(""));
        let words = contender.command(&peers, wardtap, capture, folder);
        contender::run(&peers, &words, 0, folder)?;
    }
    let version = peers.version(&peers.file("root/usr/bin/suricata"), &["-V"])?;
    Ok((format!("Suricata {version}"), folder.join("eve.json")))
}

/// Measures one capture; its table.
fn one_capture(
    source: &Path,
    peers: &Peers,
    wardtap: &Path,
    arguments: &Arguments,
) -> Result<String> {
    let folder = target().join("compare");
    fs::create_dir_all(&folder)?;
    let (short, long) = (folder.join("short.pcap"), folder.join("long.pcap"));
    let given = capture::repeat(source, 1, &short)?;
    ensure!(given > 0, "{} holds no packet", source.display());
    let times = u32::try_from(LEAST.div_ceil(given))?;
    let packets = capture::repeat(source, times, &short)?;
    let all = capture::repeat(source, times * TIMES, &long)?;
    println!(
        "{}: {packets} packets, and {TIMES} times that; {} rounds on core {}",
        source.display(),
        arguments.rounds,
        arguments.core
    );
    let mut measured = BTreeMap::<usize, Measured>::new();
    for round in 0..arguments.rounds {
        for (place, contender) in Contender::ALL.into_iter().enumerate() {
            let folder = folder.join(place.to_string());
            let run = |capture: &PathBuf| {
                let words = contender.command(peers, wardtap, capture, &folder);
                contender::run(peers, &words, arguments.core, &folder)
                    .with_context(|| contender.label().to_owned())
            };
            let one = measured.entry(place).or_default();
            // The first run after the output of the last was cut off, or after others had the memory, costs more: it
            // does not count.
            run(&short)?;
            let (cpu, wall, _) = run(&short)?;
            if round == 0 {
                one.clinical = contender.clinical(&folder)?;
            }
            let (cpu_long, wall_long, memory) = run(&long)?;
            one.cpu.push((cpu, cpu_long));
            one.memory = one.memory.max(memory);
            println!(
                "{round} {:<30} {cpu:7.2} s and {cpu_long:7.2} s of processor time ({wall:.1} and {wall_long:.1} s passed)",
                contender.label()
            );
        }
    }
    let name = source.file_stem().unwrap_or_default().display();
    let title = format!(
        "{name}: {given} packets, {times} and {} times",
        times * TIMES
    );
    table(&title, &measured, packets, all)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "packets of a file, far below 2^53"
)]
fn table(
    title: &str,
    measured: &BTreeMap<usize, Measured>,
    packets: u64,
    all: u64,
) -> Result<String> {
    let more = (all - packets) as f64;
    let of = |contender: Contender| {
        let place = Contender::ALL.iter().position(|one| *one == contender);
        place
            .and_then(|place| measured.get(&place))
            .context("not measured")
    };
    let ours = of(Contender::Wardtap)?.rate(more);
    let mut text = format!(
        "\n{title}:\n\n\
         | | packets/s | Wardtap's `--json` is | with its start | peak memory | of DICOM and HL7 it says |\n\
         | --- | --- | --- | --- | --- | --- |\n"
    );
    for (place, contender) in Contender::ALL.into_iter().enumerate() {
        let Some(one) = measured.get(&place) else {
            continue;
        };
        let rate = one.rate(more);
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.2}× | {:.0} | {:.0} MB | {} |",
            contender.label(),
            rate,
            ours / rate,
            one.whole(all as f64),
            one.memory as f64 / 1024.0,
            one.clinical
        );
    }
    text.push('\n');
    for (ours, theirs, goal) in GOALS {
        let ratio = of(ours)?.rate(more) / of(theirs)?.rate(more);
        let met = if ratio >= goal { "met" } else { "NOT met" };
        let _ = writeln!(
            text,
            "- {goal:.0} times as fast, `{}` against {}: {met}, {ratio:.1} times",
            ours.label(),
            theirs.label()
        );
    }
    Ok(text)
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    line.and_then(|line| line.split(':').nth(1)).map_or_else(
        || "an unknown processor".to_owned(),
        |name| name.trim().to_owned(),
    )
}

fn versions(peers: &Peers, wardtap: &Path, named: bool) -> Result<String> {
    // Of a binary that was named, only its age is known.
    let made = if named {
        output(
            "date",
            &[
                "-u",
                "+built %Y-%m-%d %H:%M",
                "-r",
                &wardtap.display().to_string(),
            ],
        )
    } else {
        output(
            "git",
            &[
                "-C",
                &root().display().to_string(),
                "rev-parse",
                "--short",
                "HEAD",
            ],
        )
    };
    Ok(format!(
        "Wardtap {} ({}), Suricata {}, tshark {}, nfstream {}, softflowd {}",
        peers.version(wardtap, &["--version"])?,
        made.unwrap_or_default().trim(),
        peers.version(&peers.file("root/usr/bin/suricata"), &["-V"])?,
        peers.version(&peers.file("root/usr/bin/tshark"), &["--version"])?,
        peers.nfstream(),
        peers.version(&peers.file("root/usr/sbin/softflowd"), &["-h"])?
    ))
}
