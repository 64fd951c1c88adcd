//! Captures of attacks with what is known of them. They are not part of the project.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader},
    net::IpAddr,
    path::Path,
};

use anyhow::Context;
use sensor_analysis::AnalysisOptions;
use sensor_facts::{setting::Span, time::Time};

use crate::{
    rivals::{Best, Boxplot, NewPeer},
    run::{Analyst, Sensor},
    score::{Alarm, Score},
    truth::{Episode, Truth},
};

/// The mixed capture and its table of flows, below the captures' folder.
pub const MIX: (&str, &str) = ("mix/mix-dev.pcap", "mix/mix-dev.flows.csv.gz");
/// Seconds of the mixed capture without an attack; what is learnt in them is all that can be.
const QUIET: i64 = 310;
const SECOND: i64 = 1_000_000_000;
/// An attack of more sources than this has made them up: the victim is the host that is asked.
const SOURCES_MAX: usize = 50;

/// Single captures of an attack, below the captures' folder, and who is known to have done it.
const ATTACKS: [(&str, &str, &str); 14] = [
    (
        "attacks/evilfingers-TCP_SYN_SCAN.pcap",
        "port scan",
        "192.168.1.10",
    ),
    (
        "attacks/evilfingers-TCP_CONNECT_SCAN.pcap",
        "port scan",
        "192.168.1.10",
    ),
    (
        "attacks/evilfingers-UDP_SCAN.pcap",
        "port scan",
        "192.168.1.10",
    ),
    ("attacks/pcaphunt-ps-tcp_syn.pcap", "port scan", ""),
    (
        "attacks/esnet-masscan-tcp.pcap",
        "port scan",
        "172.31.15.102",
    ),
    (
        "attacks/esnet-nmap-80-all.pcap",
        "nmap -A of one port",
        "10.87.1.10",
    ),
    (
        "attacks/ppa-ftp-crack.pcap",
        "FTP brute force",
        "10.234.125.254",
    ),
    (
        "attacks/joy-hydra-ssh.pcap",
        "SSH brute force",
        "192.168.1.2",
    ),
    (
        "attacks/labcap/lab-dicom-portscan-aebrute.pcap",
        "port scan, AE titles",
        "10.77.1.66",
    ),
    (
        "attacks/slips-icmp-sweep.pcap",
        "ICMP sweep",
        "192.168.1.109",
    ),
    ("attacks/slips-arpscan.pcap", "ARP scan", "192.168.1.247"),
    ("attacks/chriss-arppoison.pcapng", "ARP spoofing", ""),
    (
        "attacks/slips-cc-2.pcap",
        "command and control",
        "147.32.80.37",
    ),
    (
        "attacks/stopddos-synflood-spoofed.pcap",
        "SYN flood",
        "10.10.10.10",
    ),
];

/// What was made of one capture.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Single {
    /// The file, below the captures' folder.
    pub file: String,
    /// What is in it.
    pub what: String,
    /// The attacker or the victim, where it is known.
    pub known: String,
    /// Whom people are told of, and by which detectors.
    pub told: Vec<String>,
    /// The one that is known is among them, also while the site is being learnt.
    pub learning: bool,
    /// The one that is known is among them.
    pub found: bool,
}

/// What was made of the mixed capture.
pub struct Mix {
    /// What is true of it.
    pub truth: Truth,
    /// What people would be told.
    pub alarms: Vec<Alarm>,
    /// How well that is.
    pub score: Score,
    /// The boxplot at its best.
    pub boxplot: Best,
    /// The new-peer rule at its best.
    pub new_peer: Best,
}

/// Reads the labels of the mixed capture.
///
/// # Errors
/// When the table can't be read.
pub fn truth(path: &Path) -> anyhow::Result<Truth> {
    let file = File::open(path).with_context(|| format!("can't open {}", path.display()))?;
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let mut sources: BTreeMap<u32, Source> = BTreeMap::new();
    let mut truth = Truth {
        begin: Time(i64::MAX),
        end: Time(i64::MIN),
        ..Truth::default()
    };
    let mut devices = std::collections::BTreeSet::new();
    for line in lines.skip(1) {
        let line = line.with_context(|| format!("can't read {}", path.display()))?;
        let fields: Vec<&str> = line.split(',').collect();
        let [_, src, _, dst, _, first, last, _, _, label, class, source] = fields[..] else {
            anyhow::bail!("{}: not 12 fields: {line}", path.display());
        };
        let (Some(first), Some(last)) = (time(first), time(last)) else {
            anyhow::bail!("{}: no time: {line}", path.display());
        };
        truth.begin = truth.begin.min(first);
        truth.end = truth.end.max(last);
        let (src, dst) = (src.parse().ok(), dst.parse().ok());
        if label == "0" {
            // Devices are those that do what they should: private, and not of the floods.
            devices.extend([src, dst].into_iter().flatten().filter(is_own));
            continue;
        }
        let source = sources.entry(source.parse()?).or_insert_with(|| Source {
            class: class.to_owned(),
            begin: first,
            end: last,
            from: HashMap::new(),
            to: HashMap::new(),
        });
        source.begin = source.begin.min(first);
        source.end = source.end.max(last);
        if let (Some(src), Some(dst)) = (src, dst) {
            *source.from.entry(src).or_default() += 1;
            *source.to.entry(dst).or_default() += 1;
        }
    }
    truth.devices = devices.len();
    truth.counts_from = truth.begin;
    truth.episodes = sources.into_values().map(Source::episode).collect();
    truth.episodes.sort_by_key(|episode| episode.begin);
    Ok(truth)
}

fn is_own(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_private(),
        IpAddr::V6(it) => it.is_unique_local() || it.is_unicast_link_local(),
    }
}

struct Source {
    class: String,
    begin: Time,
    end: Time,
    from: HashMap<IpAddr, u32>,
    to: HashMap<IpAddr, u32>,
}

impl Source {
    fn episode(self) -> Episode {
        let most = |counts: &HashMap<IpAddr, u32>| -> Vec<IpAddr> {
            let best = counts.iter().max_by_key(|(_, count)| **count);
            best.map(|(address, _)| *address).into_iter().collect()
        };
        let suspects = if self.from.len() > SOURCES_MAX {
            Vec::new()
        } else {
            most(&self.from)
        };
        Episode {
            class: self.class,
            victims: if suspects.is_empty() {
                most(&self.to)
            } else {
                let mut all: Vec<IpAddr> = self.to.into_keys().collect();
                all.retain(|one| !suspects.contains(one));
                all
            },
            suspects,
            begin: self.begin,
            end: self.end,
        }
    }
}

/// Seconds with a fraction.
fn time(text: &str) -> Option<Time> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    Some(Time(whole.parse::<i64>().ok()? * SECOND + nanos))
}

/// Runs the mixed capture; `learnt`: what is seen before the first attack counts as usual, else the site is still
/// being learnt at its end, as with a sensor that has just been installed.
///
/// # Errors
/// When the capture or its labels can't be read.
pub fn mix(root: &Path, options: &AnalysisOptions, learnt: bool) -> anyhow::Result<Mix> {
    let truth = truth(&root.join(MIX.1))?;
    let mut options = options.clone();
    if learnt {
        options.baseline.learning = Span::from_secs(QUIET.unsigned_abs());
    }
    let counts = Truth {
        counts_from: Time(truth.begin.0 + QUIET * SECOND),
        ..truth.clone()
    };
    let mut sensor = Sensor::default().with(options, None, None);
    let (mut boxplot, mut new_peer) = (Boxplot::new(&counts), NewPeer::new(&counts));
    sensor.read(&root.join(MIX.0), &mut |seen| {
        boxplot.observe(seen);
        new_peer.observe(seen);
    })?;
    let alarms = told(&sensor);
    let score = Score::of(&alarms, &truth);
    let wanted = score.found();
    Ok(Mix {
        boxplot: boxplot.best(&counts, wanted),
        new_peer: new_peer.best(&counts, wanted),
        truth,
        alarms,
        score,
    })
}

/// Runs the captures of single attacks, each through a sensor that knows nothing: one that still learns, and one
/// that takes everything for new.
///
/// # Errors
/// When one of them can't be read.
pub fn singles(root: &Path, options: &AnalysisOptions) -> anyhow::Result<Vec<Single>> {
    let mut eager = options.clone();
    eager.baseline.learning = Span::from_secs(1);
    let mut singles = Vec::new();
    for (file, what, known) in ATTACKS {
        let run = |options: &AnalysisOptions| -> anyhow::Result<Vec<Alarm>> {
            let mut sensor = Sensor::default().with(options.clone(), None, None);
            sensor.read(&root.join(file), &mut |_| {})?;
            Ok(told(&sensor))
        };
        let (learning, alarms) = (run(options)?, run(&eager)?);
        let mut told: Vec<String> = alarms
            .iter()
            .map(|alarm| format!("{} ({})", alarm.device, alarm.detectors.join(", ")))
            .collect();
        told.sort_unstable();
        let address: Option<IpAddr> = known.parse().ok();
        let found = |alarms: &[Alarm]| {
            alarms
                .iter()
                .any(|alarm| address.is_none_or(|it| it == alarm.device))
        };
        singles.push(Single {
            file: file.to_owned(),
            what: what.to_owned(),
            known: known.to_owned(),
            learning: found(&learning),
            found: found(&alarms),
            told,
        });
    }
    Ok(singles)
}

fn told(sensor: &Sensor) -> Vec<Alarm> {
    sensor.analysts().iter().flat_map(Analyst::alarms).collect()
}
