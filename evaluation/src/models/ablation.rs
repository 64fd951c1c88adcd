//! What each part of the model adds: one recording of windows, scored in several ways at the same number of false alerts.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use sensor_analysis::{
    baseline::Baselines,
    behaviour::{Behaviour, Judged, Measure},
    config::Baseline,
    model::WindowModel,
};
use sensor_facts::{
    observation::{Observation, is_public},
    time::Time,
};

use crate::truth::{Episode, Truth};

/// Devices that are told apart.
const DEVICES: u32 = 65_536;
/// A window is over so long after it began, nanoseconds.
const WINDOW: i64 = 300_000_000_000;
const HOUR: i64 = 3_600_000_000_000;
/// The budget that the ways are compared at.
pub(super) const BUDGET: f64 = 10.0;
/// A surprise counts as far as it is above this.
const COUNTS: f64 = 3.0;
/// Windows that are scored at once.
const BATCH: usize = 1_024;

/// Ways to score a window.
pub(super) const WAYS: [&str; 6] = [
    "amounts: the three greatest, as powers of ten",
    "surprises above 3, added",
    "surprises without the crowd, added",
    "autoencoder on surprises",
    "autoencoder on surprises without the crowd (the product)",
    "the same, the crowd forgiving less where harm is done",
];

/// What many devices do at once is forgiven up to this.
const FORGIVEN: f64 = 0.7;
/// But only in what harms when it is no change of the site.
const HARM: [Measure; 8] = [
    Measure::OutsideUpload,
    Measure::OutsideBytes,
    Measure::AdminNew,
    Measure::Finds,
    Measure::Gets,
    Measure::Moves,
    Measure::NewDestination,
    Measure::NewCommand,
];

/// A window that was scored.
struct Row {
    device: IpAddr,
    begin: Time,
    scores: [f64; WAYS.len()],
    /// It reaches the score that the budget needs: as at other hospitals, and as the control of the budget sets it here.
    reaches: [bool; 2],
}

/// What a way came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reached {
    pub(super) found: usize,
    pub(super) episodes: usize,
    pub(super) classes: usize,
    pub(super) all_classes: usize,
    /// False hours of devices a day and 1,000 devices.
    pub(super) rate: f64,
}

/// What all ways came to.
pub(super) struct Ablation {
    /// Each at the score that gives the budget's false alerts, known afterwards.
    pub(super) ways: Vec<Reached>,
    /// The last way at the score that other hospitals needed, and with the control of the budget.
    pub(super) control: [Reached; 2],
}

/// Records windows and scores them.
pub(super) struct Recorder {
    baselines: Baselines,
    behaviour: Behaviour,
    model: WindowModel,
    waiting: Vec<Judged>,
    rows: Vec<Row>,
    truth: Truth,
}

impl Recorder {
    pub(super) fn new(model: WindowModel, truth: Truth) -> Self {
        let mut behaviour = Behaviour::new(DEVICES);
        behaviour.set_scale(model.sha256(), model.needed().clone());
        behaviour.set_prior(model.prior().cloned());
        Self {
            baselines: Baselines::new(Baseline::default()),
            behaviour,
            model,
            waiting: Vec::new(),
            rows: Vec::new(),
            truth,
        }
    }

    pub(super) fn see(&mut self, seen: &Observation) {
        self.close(seen.time);
        let delta = self.baselines.delta(seen);
        self.behaviour.observe(seen, delta, is_public);
    }

    fn close(&mut self, now: Time) {
        for device in self.behaviour.due(now, usize::MAX) {
            let judged = self.behaviour.close(device);
            self.waiting.extend(judged);
        }
        if self.waiting.len() >= BATCH {
            self.score();
        }
    }

    fn score(&mut self) {
        let mut judged = std::mem::take(&mut self.waiting);
        let mut with_crowd: Vec<Judged> = judged.clone();
        for one in with_crowd.iter_mut().flat_map(|one| &mut one.surprises) {
            one.discounted = one.raw;
        }
        let mut forgiving = judged.clone();
        for one in forgiving.iter_mut().flat_map(|one| &mut one.surprises) {
            if HARM.contains(&one.measure) {
                one.discounted = one.discounted.max(one.raw - FORGIVEN);
            }
        }
        let sums = |all: &[Judged]| -> Vec<f64> { all.iter().map(|one| one.score).collect() };
        let without = sums(&judged);
        // The model opened and was tried, so it runs.
        for windows in [&mut judged, &mut with_crowd, &mut forgiving] {
            if self.model.judge(windows).is_err() {
                return;
            }
        }
        let others = with_crowd.iter().zip(&forgiving).zip(without);
        for (one, ((crowd, less), sum)) in judged.iter().zip(others) {
            let raw = one.surprises.iter().map(|it| (it.raw - COUNTS).max(0.0));
            let needed = self.model.needed().score(BUDGET);
            let here = self.behaviour.threshold(BUDGET);
            self.rows.push(Row {
                device: one.device,
                begin: one.begin,
                scores: [
                    amounts(one),
                    raw.sum(),
                    sum,
                    crowd.score,
                    one.score,
                    less.score,
                ],
                reaches: [one.score >= needed, one.score >= here],
            });
            self.behaviour.keep(one);
        }
    }

    pub(super) fn finish(mut self) -> Ablation {
        self.close(Time(i64::MAX));
        self.score();
        let (rows, truth) = (&self.rows, &self.truth);
        let ways = (0..WAYS.len()).map(|way| {
            let least = least(rows, truth, way);
            reached(rows, truth, |row| row.scores[way] > least)
        });
        Ablation {
            ways: ways.collect(),
            control: [0, 1].map(|which| reached(rows, truth, |row| row.reaches[which])),
        }
    }
}

/// How large the three largest values are.
#[expect(clippy::cast_precision_loss, reason = "a logarithm")]
fn amounts(judged: &Judged) -> f64 {
    let values = judged.surprises.iter();
    let mut sizes: Vec<f64> = values.map(|it| (1.0 + it.value as f64).log10()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    sizes.iter().take(3).sum()
}

/// An attack that the device took part in during the window, or until an hour after it.
fn episode(row: &Row, truth: &Truth, number: usize) -> bool {
    let Episode {
        suspects,
        victims,
        begin,
        end,
        ..
    } = &truth.episodes[number];
    let time = row.begin.0 + WINDOW;
    (begin.0..=end.0.saturating_add(HOUR)).contains(&time)
        && (suspects.contains(&row.device) || victims.contains(&row.device))
}

/// Hours of devices in which nothing was done to them or by them.
fn ordinary(row: &Row, truth: &Truth) -> bool {
    row.begin >= truth.counts_from
        && !(0..truth.episodes.len()).any(|number| episode(row, truth, number))
}

#[expect(clippy::cast_precision_loss, reason = "a span of days")]
fn days(truth: &Truth) -> f64 {
    (truth.end.0 - truth.counts_from.0) as f64 / 86_400e9
}

/// The score that as many ordinary hours of devices pass as the budget allows.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small number"
)]
fn least(rows: &[Row], truth: &Truth, way: usize) -> f64 {
    let mut best: HashMap<(IpAddr, i64), f64> = HashMap::new();
    for row in rows.iter().filter(|row| ordinary(row, truth)) {
        let hour = best
            .entry((row.device, row.begin.0.div_euclid(HOUR)))
            .or_default();
        *hour = hour.max(row.scores[way]);
    }
    let mut ranked: Vec<f64> = best.into_values().collect();
    ranked.sort_by(|a, b| b.total_cmp(a));
    let allowed = BUDGET * truth.devices as f64 / 1_000.0 * days(truth);
    ranked.get(allowed as usize).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn reached(rows: &[Row], truth: &Truth, passes: impl Fn(&Row) -> bool) -> Reached {
    let mut wrong = HashSet::new();
    let mut found = HashSet::new();
    for row in rows.iter().filter(|row| passes(row)) {
        let about = (0..truth.episodes.len()).filter(|number| episode(row, truth, *number));
        found.extend(about);
        if ordinary(row, truth) {
            wrong.insert((row.device, row.begin.0.div_euclid(HOUR)));
        }
    }
    let counted = |number: &usize| truth.episodes[*number].begin >= truth.counts_from;
    let all: Vec<usize> = (0..truth.episodes.len()).filter(counted).collect();
    let classes = |only_found: bool| {
        let some = all
            .iter()
            .filter(|number| !only_found || found.contains(*number));
        let names: HashSet<&str> = some
            .map(|number| truth.episodes[*number].class.as_str())
            .collect();
        names.len()
    };
    Reached {
        found: all.iter().filter(|number| found.contains(*number)).count(),
        episodes: all.len(),
        classes: classes(true),
        all_classes: classes(false),
        rate: wrong.len() as f64 / days(truth) / truth.devices as f64 * 1_000.0,
    }
}
