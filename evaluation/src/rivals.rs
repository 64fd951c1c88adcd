//! Rules that cost nothing to think of, at their best. What does not beat them is not worth its price.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use sensor_facts::{
    observation::{Observation, What, is_host},
    time::Time,
};

use crate::{
    score::{Alarm, Score},
    truth::Truth,
};

const HOUR: i64 = 3_600_000_000_000;
/// Windows of the boxplot, nanoseconds: 5 minutes and an hour.
const WINDOWS: [i64; 2] = [300_000_000_000, HOUR];
/// Bytes sent, connections, peers.
const FEATURES: usize = 3;
/// No quartiles without so many windows; the pool's then.
const ENOUGH: usize = 12;
/// Ranges are at least this: of constant bytes, connections, peers.
const RANGE_MIN: [f64; FEATURES] = [1_500.0, 1.0, 1.0];
/// Thresholds that are tried.
const TRIED: [f64; 30] = [
    0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 750.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0,
    100_000.0,
];

/// How strange a device was at a time.
#[derive(Clone, Copy, Debug)]
struct Strange {
    device: IpAddr,
    time: i64,
    score: f64,
}

/// A rule with its best threshold.
#[derive(Clone, Debug)]
pub struct Best {
    /// The threshold above which it alerts.
    pub threshold: f64,
    /// What it makes of it.
    pub score: Score,
}

/// The threshold with the fewest wrong alarms of those that find as many episodes as `wanted`; if none does, of
/// those that find most.
fn best(strange: &[Strange], truth: &Truth, wanted: usize) -> Best {
    let mut best: Option<Best> = None;
    for threshold in TRIED {
        let score = Score::of(&alarms(strange, threshold), truth);
        let found = |score: &Score| score.found().min(wanted);
        let better = best.as_ref().is_none_or(|before| {
            (found(&score), before.score.wrong) > (found(&before.score), score.wrong)
        });
        if better {
            best = Some(Best { threshold, score });
        }
    }
    best.unwrap_or(Best {
        threshold: 0.0,
        score: Score::default(),
    })
}

/// One alarm for a device and hour, when it first passes the threshold.
fn alarms(strange: &[Strange], threshold: f64) -> Vec<Alarm> {
    let mut open: HashMap<(IpAddr, i64), usize> = HashMap::new();
    let mut alarms: Vec<Alarm> = Vec::new();
    for one in strange.iter().filter(|one| one.score >= threshold) {
        let index = *open
            .entry((one.device, one.time.div_euclid(HOUR)))
            .or_insert(alarms.len());
        if let Some(alarm) = alarms.get_mut(index) {
            alarm.confidence = alarm.confidence.max(one.score);
            continue;
        }
        alarms.push(Alarm {
            device: one.device,
            is_victim: false,
            told: vec![Time(one.time)],
            more: Vec::new(),
            confidence: one.score,
            detectors: Vec::new(),
            title: String::new(),
        });
    }
    alarms
}

/// The truth for a rule that can't tell victims from suspects: where nobody can be suspected, naming the victim will do.
fn lenient(truth: &Truth) -> Truth {
    let mut truth = truth.clone();
    for episode in &mut truth.episodes {
        if episode.suspects.is_empty() {
            episode.suspects.clone_from(&episode.victims);
        }
    }
    truth
}

#[derive(Default)]
struct Open {
    number: i64,
    values: [f64; 2],
    peers: HashSet<IpAddr>,
}

/// The rate boxplot: a device is strange when what it does in a window is above the third quartile of its
/// learning time by some interquartile ranges.
pub struct Boxplot {
    learns_until: i64,
    running: HashMap<u64, u64>,
    open: HashMap<(IpAddr, usize), Open>,
    learnt: HashMap<(IpAddr, usize, usize), Vec<f64>>,
    pool: HashMap<(usize, usize), Vec<f64>>,
    quartiles: HashMap<(IpAddr, usize, usize), (f64, f64)>,
    strange: Vec<Strange>,
}

impl Boxplot {
    /// Learns until the truth counts.
    #[must_use]
    pub fn new(truth: &Truth) -> Self {
        Self {
            learns_until: truth.counts_from.0,
            running: HashMap::new(),
            open: HashMap::new(),
            learnt: HashMap::new(),
            pool: HashMap::new(),
            quartiles: HashMap::new(),
            strange: Vec::new(),
        }
    }

    /// Takes an observation.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a flow")]
    pub fn observe(&mut self, seen: &Observation) {
        let (bytes, flows) = match &seen.what {
            What::Flow(facts) => {
                let all = facts.to_server.bytes;
                let before = if facts.over {
                    self.running.remove(&facts.id)
                } else {
                    self.running.insert(facts.id, all)
                };
                let bytes = all.saturating_sub(before.unwrap_or(0)) as f64;
                (bytes, f64::from(u8::from(before.is_none())))
            }
            What::ConnectionRefused => (0.0, 1.0),
            _ => return,
        };
        let device = seen.client.ip();
        if !is_host(device) {
            return;
        }
        for (window, nanos) in WINDOWS.into_iter().enumerate() {
            let number = seen.time.0.div_euclid(nanos);
            let open = self.open.entry((device, window)).or_default();
            if open.number != number {
                let over = std::mem::replace(
                    open,
                    Open {
                        number,
                        ..Open::default()
                    },
                );
                if over.number != 0 {
                    self.close(device, window, &over);
                }
            }
            if let Some(open) = self.open.get_mut(&(device, window)) {
                open.values[0] += bytes;
                open.values[1] += flows;
                open.peers.insert(seen.server.ip());
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of peers")]
    fn close(&mut self, device: IpAddr, window: usize, over: &Open) {
        let values = [over.values[0], over.values[1], over.peers.len() as f64];
        let time = (over.number + 1) * WINDOWS[window];
        for (feature, value) in values.into_iter().enumerate() {
            if time <= self.learns_until {
                let learnt = self.learnt.entry((device, window, feature));
                learnt.or_default().push(value);
                self.pool.entry((window, feature)).or_default().push(value);
                continue;
            }
            let (third, range) = *self
                .quartiles
                .entry((device, window, feature))
                .or_insert_with(|| {
                    let own = self.learnt.get_mut(&(device, window, feature));
                    let values = own.filter(|values| values.len() >= ENOUGH);
                    let values = values.or_else(|| self.pool.get_mut(&(window, feature)));
                    values.map_or((0.0, 0.0), |values| quartiles(values))
                });
            let score = (value - third) / range.max(RANGE_MIN[feature]);
            if score >= TRIED[0] {
                self.strange.push(Strange {
                    device,
                    time,
                    score,
                });
            }
        }
    }

    /// The score at the threshold that suits it best.
    #[must_use]
    pub fn best(mut self, truth: &Truth, wanted: usize) -> Best {
        for ((device, window), over) in std::mem::take(&mut self.open) {
            self.close(device, window, &over);
        }
        self.strange.sort_by_key(|one| one.time);
        best(&self.strange, &lenient(truth), wanted)
    }
}

/// Third quartile and interquartile range.
fn quartiles(values: &mut [f64]) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |quarter: usize| {
        let index = values.len() * quarter / 4;
        values.get(index.min(values.len().saturating_sub(1)))
    };
    let (first, third) = (at(1).copied().unwrap_or(0.0), at(3).copied().unwrap_or(0.0));
    (third, third - first)
}

/// The new-peer rule: a device is strange by as many services of peers as it asks in an hour that it never asked
/// before.
pub struct NewPeer {
    learns_until: i64,
    known: HashSet<(IpAddr, IpAddr, u8, u16)>,
    hours: HashMap<IpAddr, (i64, f64)>,
    strange: Vec<Strange>,
}

/// Ports from here on are new each time (RFC 6335).
const EPHEMERAL: u16 = 49_152;

impl NewPeer {
    /// Learns until the truth counts.
    #[must_use]
    pub fn new(truth: &Truth) -> Self {
        Self {
            learns_until: truth.counts_from.0,
            known: HashSet::new(),
            hours: HashMap::new(),
            strange: Vec::new(),
        }
    }

    /// Takes an observation.
    pub fn observe(&mut self, seen: &Observation) {
        if !matches!(seen.what, What::Flow(_) | What::ConnectionRefused) {
            return;
        }
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let port = seen.server.port();
        let port = if port < EPHEMERAL { port } else { 0 };
        if !is_host(client)
            || !is_host(server)
            || !self.known.insert((client, server, seen.protocol, port))
            || seen.time.0 < self.learns_until
        {
            return;
        }
        let hour = seen.time.0.div_euclid(HOUR);
        let (last, count) = self.hours.entry(client).or_default();
        if *last != hour {
            (*last, *count) = (hour, 0.0);
        }
        *count += 1.0;
        self.strange.push(Strange {
            device: client,
            time: seen.time.0,
            score: *count,
        });
    }

    /// The score at the threshold that suits it best.
    #[must_use]
    pub fn best(mut self, truth: &Truth, wanted: usize) -> Best {
        self.strange.sort_by_key(|one| one.time);
        best(&self.strange, &lenient(truth), wanted)
    }
}
