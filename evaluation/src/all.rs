//! All that is measured, as the page of the documentation and as JSON.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use sensor_analysis::{
    AnalysisOptions,
    model::{Model, Runtime, Scorer, WindowModel},
};
use serde_json::{Value, json};

use crate::{
    captures::{self, Mix, Single},
    hospital::Options,
    parallel, report,
    rivals::Best,
    score::Score,
    simulation::{self, Simulated},
};

/// What is to be measured.
pub(crate) struct Plan {
    pub(crate) seeds: Vec<u64>,
    pub(crate) days: u64,
    pub(crate) devices: usize,
    pub(crate) captures: PathBuf,
    pub(crate) model: PathBuf,
    /// The model of windows.
    pub(crate) windows: PathBuf,
    pub(crate) runtime: Option<PathBuf>,
    /// Simulations that run at once.
    pub(crate) jobs: usize,
}

/// What was measured.
pub(crate) struct All {
    attacked: Vec<Simulated>,
    changed: Vec<Simulated>,
    poisoned: Vec<Simulated>,
    captures: Option<([Mix; 2], Vec<Single>)>,
    /// Why there is no model.
    no_model: Option<String>,
}

/// The model that scores flows, or why there is none.
pub(crate) fn scorer(path: &Path, runtime: Option<&Path>) -> Result<Scorer, String> {
    let runtime = Runtime::load(runtime).map_err(|error| error.to_string())?;
    let model = Model::open(&runtime, path).map_err(|error| error.to_string())?;
    Ok(Scorer::inline(model))
}

/// The model of windows, or why there is none.
pub(crate) fn windows(path: &Path, runtime: Option<&Path>) -> Result<WindowModel, String> {
    let runtime = Runtime::load(runtime).map_err(|error| error.to_string())?;
    WindowModel::open(&runtime, path, &[]).map_err(|error| error.to_string())
}

/// Measures all of it.
///
/// # Errors
/// When a capture that is there can't be read.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<All> {
    let analysis = AnalysisOptions::default();
    let no_windows = || windows(&plan.windows, plan.runtime.as_deref()).err();
    let no_model = scorer(&plan.model, plan.runtime.as_deref())
        .err()
        .or_else(no_windows);
    // Seed, attacks, poisoned, with a model.
    let mut runs: Vec<(u64, bool, bool, bool)> = Vec::new();
    for (nth, seed) in plan.seeds.iter().enumerate() {
        runs.push((*seed, true, false, true));
        runs.push((*seed, false, false, true));
        if nth == 0 {
            runs.push((*seed, false, true, false));
        }
    }
    let simulated = simulate(plan, &analysis, &runs);
    let captures = if plan.captures.is_dir() {
        eprintln!("captures ...");
        let root = &plan.captures;
        Some((
            [
                captures::mix(root, &analysis, false)?,
                captures::mix(root, &analysis, true)?,
            ],
            captures::singles(root, &analysis)?,
        ))
    } else {
        None
    };
    let mut all = All {
        captures,
        attacked: Vec::new(),
        changed: Vec::new(),
        poisoned: Vec::new(),
        no_model,
    };
    for one in simulated {
        match (one.options.attacks, one.options.poisoned) {
            (true, _) => all.attacked.push(one),
            (false, false) => all.changed.push(one),
            (false, true) => all.poisoned.push(one),
        }
    }
    Ok(all)
}

/// Runs simulations, some at once; in their order.
fn simulate(
    plan: &Plan,
    analysis: &AnalysisOptions,
    runs: &[(u64, bool, bool, bool)],
) -> Vec<Simulated> {
    parallel::each(plan.jobs, runs, |(seed, attacks, poisoned, model)| {
        let options = Options {
            seed: *seed,
            days: plan.days,
            devices: plan.devices,
            attacks: *attacks,
            poisoned: *poisoned,
            ..Options::default()
        };
        let scorer = model.then(|| scorer(&plan.model, plan.runtime.as_deref()).ok());
        let windows = || windows(&plan.windows, plan.runtime.as_deref()).ok();
        let one = simulation::run(options, analysis, scorer.flatten(), Some(&windows));
        // The whole takes minutes: what is there already is shown.
        eprintln!("{}", report::simulated(&one));
        one
    })
}

const HEAD: &str = "\
# How well it does

Made by `cargo xtask evaluate`; the numbers are what was measured, not what was hoped. The same seed gives the same hospital and the same numbers.

## What a hospital can expect
{EXPECT}

What this does not say: no real hospital was measured. The simulated ones have the habits and changes that their makers thought of, and the detectors were written by people who knew the kinds of attacks. \
[What the models find](evaluation-models.md) is the better answer to the question of what happens to an attack of which nobody thought, and says what the first day is like; \
[the live evaluation](live-evaluation.md) runs real attack tools. The first week, in which Wardtap learns, finds less.

## How it is counted
An episode of an attack is found when a person would have been told of it from its first packet until an hour after its last: a visible alert, not one that the day's budget \
suppressed, that names an attacker as suspect or a victim as victim. An alert that was open before and grows in that time counts as well. \
The time to detect is from the first packet to the moment at which the alert was told or grew. An alert that was told while no such attack went on is false, also when it is about the \
victim of one. Findings of one device less than an hour apart are one alert. Nothing counts before the learning time is over. \"Found at 10\" is how many episodes are found if \
alerts are taken from the most confident down until 10 false ones a day for each 1,000 devices are reached.

The two rules beside it see the same observations and are taken at the threshold at which they are best: the one with the fewest false alerts that finds as many episodes as \
Wardtap, else the one that finds most. Their alerts are one for each device and hour. The boxplot is over what a device sends, its connections and its peers in 5 minutes and an hour, against its own learning week; \
the other counts the services of peers that a device never asked before.

Detectors were tuned on seeds 1, 2 and 7, and once on an earlier hospital of seed 8 (answers of DHCP servers are no scan); the model was trained on seed 101. Other seeds have other devices, habits, changes and attacks, of the same \
kinds: what no kind of the simulation does, a real hospital may do all day. Nothing here was measured in one.

";

impl All {
    /// The page.
    pub(crate) fn markdown(&self) -> String {
        let mut text = HEAD.replace("{EXPECT}", &self.expect());
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let _ = writeln!(text, "Measured on {today}.\n");
        if let Some(reason) = &self.no_model {
            let _ = writeln!(text, "No row with a model: {reason}.\n");
        }
        text.push_str("## Two weeks in a simulated hospital\n\n");
        for one in &self.attacked {
            text.push_str(&report::simulated(one));
        }
        text.push_str("## Change and no attack\n\nFirmware day, a new modality, a backup night, moved addresses: all alerts are false.\n\n");
        for one in &self.changed {
            text.push_str(&report::simulated(one));
        }
        text.push_str("## An attack in the learning time\n\nWhat was done then, and is done again later, must not be usual.\n\n");
        for one in &self.poisoned {
            text.push_str(&report::simulated(one));
        }
        if let Some(([learning, learnt], singles)) = &self.captures {
            text.push_str("## Captures of attacks\n\n`mix/mix-dev.pcap`: 15 minutes of set-ups of devices and of medical traffic, with attacks from 310 s on. A rate a day of so short a time is coarse; the number says more. Its parts come \
from many captures, so one address is held by several devices, and laboratory messages are repeated.\n\nTo a sensor that was just installed and still learns:\n\n");
            text.push_str(&report::mix(learning));
            text.push_str("\nTo one whose learning time was the 310 s without attacks:\n\n");
            text.push_str(&report::mix(learnt));
            text.push_str("\nCaptures of single attacks, to a sensor that still learns, and to one that takes everything for new:\n\n");
            text.push_str(&report::singles(singles));
        } else {
            text.push_str("## Captures of attacks\n\nNot measured: the captures are not here.\n");
        }
        text
    }

    /// What a hospital can expect, in words that need no other page.
    fn expect(&self) -> String {
        let told = self.attacked.iter().map(|one| {
            let score = one.model.as_ref().map_or(&one.score, |it| &it.1);
            let soon = |limit: f64| {
                let delays = score.classes.values().flat_map(|class| &class.delays);
                delays.filter(|delay| **delay <= limit).count()
            };
            let minutes = 600.0;
            format!(
                "- A hospital of {} devices was attacked {} times in {:.0} days, in {} different ways. Wardtap told of {} of these attacks, of {} of them within ten minutes. \
                 It also raised {} alerts for which there was no reason: {}.",
                score.devices,
                score.episodes(),
                score.days,
                score.classes.len(),
                score.found(),
                soon(minutes),
                score.wrong,
                often(score)
            )
        });
        let mut lines: Vec<String> = told.collect();
        lines.extend(self.changed.iter().map(|one| {
            let score = one.model.as_ref().map_or(&one.score, |it| &it.1);
            format!(
                "- The same hospital (seed {}) without any attack, but with updates, new devices, a backup and a failure: {} alerts, {}.",
                one.options.seed,
                score.wrong,
                often(score)
            )
        }));
        lines.join("\n")
    }

    /// Each false alert and each missed episode.
    pub(crate) fn details(&self) -> String {
        let all = [&self.attacked, &self.changed, &self.poisoned];
        let mut text = String::new();
        for one in all.into_iter().flatten() {
            let (alarms, score) = one
                .model
                .as_ref()
                .map_or((&one.alarms, &one.score), |it| (&it.0, &it.1));
            let _ = writeln!(
                text,
                "seed {} attacks {} poisoned {}",
                one.options.seed, one.options.attacks, one.options.poisoned
            );
            text.push_str(&report::details(score, alarms, &one.truth));
        }
        text
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let many = |all: &[Simulated]| all.iter().map(one).collect::<Vec<_>>();
        json!({
            "simulated": many(&self.attacked),
            "change_only": many(&self.changed),
            "poisoned": many(&self.poisoned),
            "mix": self.captures.as_ref().map(|(mixes, _)| {
                let [learning, learnt] = mixes;
                json!({"learning": scores(&learning.score, &learning.boxplot, &learning.new_peer),
                    "learnt": scores(&learnt.score, &learnt.boxplot, &learnt.new_peer)})
            }),
            "captures": self.captures.as_ref().map(|(_, singles)| singles),
            "no_model": self.no_model,
        })
    }
}

/// How often someone looks at a false alert for nothing.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn often(score: &Score) -> String {
    if score.wrong == 0 {
        return "nobody looked in vain".to_owned();
    }
    let a_day = score.wrong as f64 / score.days.max(1e-9);
    if a_day >= 1.0 {
        format!("{a_day:.1} a day")
    } else {
        format!("one in {:.0} hours", 24.0 / a_day)
    }
}

fn one(it: &Simulated) -> Value {
    let mut value = scores(&it.score, &it.boxplot, &it.new_peer);
    value["seed"] = json!(it.options.seed);
    value["days"] = json!(it.options.days);
    value["frames"] = json!(it.frames);
    value["observations"] = json!(it.observations);
    value["with_model"] = json!(it.model.as_ref().map(|(_, score)| rated(score)));
    value
}

fn scores(score: &Score, boxplot: &Best, new_peer: &Best) -> Value {
    json!({
        "wardtap": rated(score),
        "boxplot": {"threshold": boxplot.threshold, "score": rated(&boxplot.score)},
        "new_peer": {"threshold": new_peer.threshold, "score": rated(&new_peer.score)},
    })
}

fn rated(score: &Score) -> Value {
    let mut value = json!(score);
    value["episodes"] = json!(score.episodes());
    value["found"] = json!(score.found());
    value["false_per_day_per_1000_devices"] = json!(score.rate());
    value
}

/// The runtime that the build put there, if it did.
pub(crate) fn runtime() -> Option<PathBuf> {
    let path = Path::new("target/onnxruntime/libonnxruntime.so");
    path.is_file().then(|| path.to_owned())
}
