//! What is compared: how each reads a capture, and what it then says of DICOM and HL7.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};
use serde_json::Value;
use wait4::Wait4;

use super::peers::Peers;

/// nfstream as its page shows it: every flow taken, its application named.
const NFSTREAM: &str = "
import collections, sys
from nfstream import NFStreamer

if __name__ == '__main__':
    names = collections.Counter(flow.application_name for flow in NFStreamer(source=sys.argv[1], n_meters=1))
    print(sum(names.values()), names['DICOM'], names['HL7'])
";

/// The outputs that Suricata's package switches on, by their places in its configuration.
const SURICATA_OUTPUTS: [&str; 3] = ["outputs.0.fast", "outputs.1.eve-log", "outputs.7.stats"];

/// A program with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Wardtap,
    WardtapSilent,
    WardtapTotals,
    Suricata,
    SuricataRules,
    SuricataSilent,
    Tshark,
    Nfstream,
    Softflowd,
}

impl Contender {
    pub(super) const ALL: [Self; 9] = [
        Self::Wardtap,
        Self::WardtapSilent,
        Self::WardtapTotals,
        Self::Suricata,
        Self::SuricataRules,
        Self::SuricataSilent,
        Self::Tshark,
        Self::Nfstream,
        Self::Softflowd,
    ];

    /// Its row in the table.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Wardtap => "wardtap replay --json",
            Self::WardtapSilent => "wardtap replay",
            Self::WardtapTotals => "wardtap replay --summary",
            Self::Suricata => "Suricata, no rules",
            Self::SuricataRules => "Suricata, its package's rules",
            Self::SuricataSilent => "Suricata, no rules, no outputs",
            Self::Tshark => "tshark -q -z io,phs",
            Self::Nfstream => "nfstream",
            Self::Softflowd => "softflowd",
        }
    }

    /// The command that reads `capture`; its files go to `folder`, its standard output to `out` there.
    pub(super) fn command(
        self,
        peers: &Peers,
        wardtap: &Path,
        capture: &Path,
        folder: &Path,
    ) -> Vec<PathBuf> {
        let text = |words: &[&str]| words.iter().map(PathBuf::from).collect::<Vec<_>>();
        let capture = capture.to_owned();
        match self {
            Self::Wardtap => replay(wardtap, &["--json"], capture),
            Self::WardtapSilent => replay(wardtap, &[], capture),
            Self::WardtapTotals => replay(wardtap, &["--summary"], capture),
            Self::Suricata => suricata(peers, Path::new("/dev/null"), capture, folder),
            Self::SuricataRules => suricata(peers, &peers.file("package.rules"), capture, folder),
            Self::SuricataSilent => {
                let mut words = suricata(peers, Path::new("/dev/null"), capture, folder);
                for output in SURICATA_OUTPUTS {
                    words.extend(["--set".into(), format!("{output}.enabled=no").into()]);
                }
                words
            }
            Self::Tshark => [
                vec![peers.file("root/usr/bin/tshark")],
                text(&["-n", "-q", "-z", "io,phs", "-r"]),
                vec![capture],
            ]
            .concat(),
            Self::Nfstream => vec![
                peers.file("venv/bin/python"),
                "-c".into(),
                NFSTREAM.into(),
                capture,
            ],
            Self::Softflowd => [
                vec![peers.file("root/usr/sbin/softflowd"), "-r".into(), capture],
                text(&["-d", "-m", "100000", "-c", "none", "-p"]),
                vec![folder.join("softflowd.pid")],
            ]
            .concat(),
        }
    }

    /// What it said of DICOM and HL7.
    ///
    /// # Errors
    /// When its output is not there.
    pub(super) fn clinical(self, folder: &Path) -> Result<String> {
        let path = match self {
            Self::Suricata | Self::SuricataRules => folder.join("eve.json"),
            _ => folder.join("out"),
        };
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        let text = String::from_utf8_lossy(&text);
        Ok(match self {
            Self::Wardtap => wardtap(&text),
            Self::WardtapSilent | Self::WardtapTotals => "the same, in tables".to_owned(),
            Self::SuricataSilent => "nothing".to_owned(),
            Self::Suricata | Self::SuricataRules => eve(&text),
            Self::Tshark => {
                let frames = |name: &str| -> u64 {
                    let lines = text.lines().map(str::trim);
                    lines
                        .filter(|line| line.split_whitespace().next() == Some(name))
                        .filter_map(|line| {
                            line.split("frames:")
                                .nth(1)?
                                .split(' ')
                                .next()?
                                .parse::<u64>()
                                .ok()
                        })
                        .max()
                        .unwrap_or(0)
                };
                format!(
                    "{} frames of DICOM, {} of HL7, every field of them (patients too)",
                    frames("dicom"),
                    frames("hl7.message.type").max(frames("hl7"))
                )
            }
            Self::Nfstream => {
                // It says more before, of its own settings.
                let last = text.lines().last().unwrap_or_default();
                let mut numbers = last.split_whitespace().skip(1);
                let mut next = || numbers.next().unwrap_or("0").to_owned();
                format!("{} flows named DICOM, {} named HL7", next(), next())
            }
            Self::Softflowd => "flows by address and port only".to_owned(),
        })
    }
}

fn replay(wardtap: &Path, how: &[&str], capture: PathBuf) -> Vec<PathBuf> {
    let how = how.iter().map(PathBuf::from);
    [wardtap.to_owned(), "replay".into()]
        .into_iter()
        .chain(how)
        .chain([capture])
        .collect()
}

fn suricata(peers: &Peers, rules: &Path, capture: PathBuf, folder: &Path) -> Vec<PathBuf> {
    let etc = peers.file("root/etc/suricata");
    let mut words = vec![peers.file("root/usr/bin/suricata"), "-c".into()];
    words.push(etc.join("suricata.yaml"));
    words.extend(["--runmode", "single", "-k", "none", "-r"].map(PathBuf::from));
    words.push(capture);
    words.extend([
        "-l".into(),
        folder.to_owned(),
        "-S".into(),
        rules.to_owned(),
    ]);
    for (setting, file) in [
        ("classification-file", "classification.config"),
        ("reference-config-file", "reference.config"),
        ("threshold-file", "threshold.config"),
    ] {
        let path = etc.join(file);
        words.extend([
            "--set".into(),
            format!("{setting}={}", path.display()).into(),
        ]);
    }
    words
}

fn events(text: &str) -> impl Iterator<Item = Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

fn wardtap(text: &str) -> String {
    let (mut associations, mut messages, mut flows) = (0_u64, 0_u64, 0_u64);
    for event in events(text) {
        match event["event_type"].as_str() {
            Some("flow") => flows += 1,
            Some("dicom") if event["dicom"]["type"] != "opened" => associations += 1,
            Some("hl7") if event["hl7"]["type"] == "message" => messages += 1,
            _ => {}
        }
    }
    format!("{associations} DICOM associations, {messages} HL7 messages, {flows} flows")
}

fn eve(text: &str) -> String {
    let (mut named, mut unknown, mut flows) = (0, 0, 0);
    for event in events(text).filter(|event| event["event_type"] == "flow") {
        flows += 1;
        let name = event["app_proto"].as_str().unwrap_or_default();
        named += u64::from(matches!(name, "dicom" | "hl7"));
        let port = event["dest_port"].as_u64();
        unknown += u64::from(matches!(port, Some(104 | 11_112 | 2_575)));
    }
    format!(
        "{named} flows named; {unknown} flows to ports 104, 11112, 2575, without their content; {flows} flows"
    )
}

/// Runs it on one core; seconds of processor time of all its threads and processes, seconds, kibibytes of its largest
/// process. The last by GNU time, which is small: until it becomes another program, a process is as large as who made it.
///
/// # Errors
/// When it fails, with the end of what it says.
pub(super) fn run(
    peers: &Peers,
    words: &[PathBuf],
    core: u32,
    folder: &Path,
) -> Result<(f64, f64, u64)> {
    let memory = folder.join("memory");
    fs::create_dir_all(folder)?;
    // Who appends would measure another file each round.
    let _ = fs::remove_file(folder.join("eve.json"));
    let mut command = Command::new("taskset");
    command
        .args(["-c", &core.to_string()])
        .arg(peers.file("root/usr/bin/time"))
        .args(["-f", "%M", "-o"])
        .arg(&memory)
        .args(words)
        .envs(peers.environment())
        .stdout(File::create(folder.join("out"))?)
        .stderr(File::create(folder.join("err"))?);
    // Python has libraries of its own.
    if words.first().is_some_and(|word| word.ends_with("python")) {
        command.env_remove("LD_LIBRARY_PATH");
    }
    let start = Instant::now();
    let mut child = command.spawn().context("taskset (Debian: util-linux)")?;
    let used = child.wait4()?;
    let wall = start.elapsed().as_secs_f64();
    let said = fs::read_to_string(folder.join("err")).unwrap_or_default();
    anyhow::ensure!(
        used.status.success(),
        "{}: {}",
        used.status,
        said.lines().rev().take(5).collect::<Vec<_>>().join("\n")
    );
    let processor = used.rusage.utime + used.rusage.stime;
    let memory = fs::read_to_string(&memory)?;
    let memory = memory.trim().parse().context(memory)?;
    Ok((processor.as_secs_f64(), wall, memory))
}
