//! What the models find without the detectors, what their parts add, and what becomes of those who try to get around them.

mod ablation;
mod arguments;
mod page;
mod watch;

use std::{collections::BTreeSet, path::PathBuf};

use clap::ValueEnum;

use crate::{
    attack::Cases,
    hospital::Options,
    parallel,
    score::{Alarm, Score},
    truth::Truth,
};
use ablation::Ablation;
pub(crate) use arguments::Arguments;
use page::Page;
pub(crate) use watch::Files;
use watch::{MODEL, Watched, Watcher};

/// The parts of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The model of windows and no other detector, and each part of it
    Alone,
    /// Each class of attacks without the detectors that were written for it
    Classes,
    /// The first day of a sensor
    FirstDay,
    /// Those who turn on what the model forgives
    Abuse,
    /// Attacks that no detector was written for
    Unseen,
    /// Hospitals of other shapes
    Shapes,
}

/// What is to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<Part>,
    /// Hospitals that nothing was chosen by.
    pub(crate) seeds: Vec<u64>,
    /// Hospitals in which the classes are left out, one by one.
    pub(crate) chosen: Vec<u64>,
    pub(crate) days: u64,
    pub(crate) devices: usize,
    pub(crate) files: Files,
    /// Simulations that run at once.
    pub(crate) jobs: usize,
    /// Where the page goes.
    pub(crate) markdown: Option<PathBuf>,
    /// Name each false alert and each missed episode on standard error.
    pub(crate) details: bool,
}

/// The detectors that were written for a class of attacks.
const WRITTEN_FOR: [(&str, &[&str]); 22] = [
    ("ae_brute_force", &["ae_rejects"]),
    ("arp_spoof", &["arp_spoof"]),
    ("beacon", &["beacon"]),
    ("dns_tunnel", &["dns_tunnel"]),
    ("echo_sweep", &["echo_sweep"]),
    ("exfiltration", &["exfiltration"]),
    ("hl7_injection", &["hl7_sender"]),
    ("hl7_replay", &["hl7_replay", "hl7_sender"]),
    ("host_sweep", &["sweep"]),
    ("lateral_smb", &["fan_out", "share_rewrite"]),
    ("mass_find", &["mass_find"]),
    ("move_theft", &["move_destination", "new_puller"]),
    ("nak_burst", &["nak_burst"]),
    ("new_service", &["new_service"]),
    ("off_hours", &["off_hours"]),
    ("port_scan", &["scan", "probe"]),
    ("rdp_brute_force", &["brute_force"]),
    ("ssh_brute_force", &["brute_force"]),
    (
        "study_exfiltration",
        &["study_exfiltration", "exfiltration"],
    ),
    ("syn_flood", &["flood"]),
    ("time_skew", &["time_skew"]),
    ("unknown_modality", &["unknown_modality"]),
];

/// The budget that a daemon has without a setting, and a generous one.
const BUDGETS: [f64; 2] = [1.0, 10.0];

/// What a sensor told of a hospital, and how well that was.
struct Told {
    options: Options,
    truth: Truth,
    scores: Vec<(String, Vec<Alarm>, Score)>,
    ablation: Option<Ablation>,
}

impl Told {
    fn of(watchers: &[Watcher], watched: Watched) -> Self {
        let Watched {
            options,
            truth,
            told,
            ablation,
        } = watched;
        let scores = watchers.iter().zip(told).map(|(watcher, alarms)| {
            let score = Score::of(&alarms, &truth);
            (watcher.name.clone(), alarms, score)
        });
        Self {
            scores: scores.collect(),
            options,
            truth,
            ablation,
        }
    }

    fn score(&self, name: &str) -> Option<&Score> {
        let mut all = self.scores.iter();
        all.find(|one| one.0 == name).map(|one| &one.2)
    }
}

/// A simulation that is to run, and who watches it.
struct Run {
    part: Part,
    options: Options,
    watchers: Vec<Watcher>,
}

impl Plan {
    fn usual(&self, seed: u64) -> Options {
        Options {
            seed,
            days: self.days,
            devices: self.devices,
            ..Options::USUAL
        }
    }

    fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        for part in &self.parts {
            let seeds = match part {
                Part::Classes => &self.chosen,
                _ => &self.seeds,
            };
            for seed in seeds {
                let usual = self.usual(*seed);
                let (options, watchers) = match part {
                    Part::Alone => (usual, alone()),
                    Part::Classes => (usual, classes()),
                    Part::FirstDay => {
                        let first = Options {
                            first_day: true,
                            days: 2,
                            ..usual
                        };
                        (first, both())
                    }
                    Part::Abuse => (with(usual, Cases::Abuse), both()),
                    Part::Unseen => (with(usual, Cases::Unseen), both()),
                    Part::Shapes => {
                        let shaped = Options {
                            shaped: true,
                            ..usual
                        };
                        (shaped, both())
                    }
                };
                runs.push(Run {
                    part: *part,
                    options,
                    watchers,
                });
            }
        }
        runs
    }
}

const fn with(options: Options, cases: Cases) -> Options {
    Options { cases, ..options }
}

const ALL: &str = "all detectors";

fn alone() -> Vec<Watcher> {
    vec![
        Watcher::alone("model, budget 10", BUDGETS[1]),
        Watcher::alone("model, budget 1", BUDGETS[0]),
        Watcher::all(ALL, BUDGETS[0]).without([MODEL, "strange_flows"]),
        Watcher::all("all detectors and the model of flows", BUDGETS[0])
            .without([MODEL])
            .with_flows(),
        Watcher::all("all detectors and the model of windows", BUDGETS[0])
            .without(["strange_flows"]),
        Watcher::all("all detectors and both models", BUDGETS[0]).with_flows(),
    ]
}

fn both() -> Vec<Watcher> {
    vec![
        Watcher::alone("model, budget 10", BUDGETS[1]),
        Watcher::alone("model, budget 1", BUDGETS[0]),
        Watcher::all(ALL, BUDGETS[0]).without([MODEL]),
        Watcher::all("all detectors and the model of windows", BUDGETS[0]),
    ]
}

/// The name of the sensor without these detectors.
fn left_out(detectors: &[&str], budget: f64) -> String {
    format!("without {}, budget {budget}", detectors.join(", "))
}

fn classes() -> Vec<Watcher> {
    let sets: BTreeSet<&[&str]> = WRITTEN_FOR.iter().map(|(_, off)| *off).collect();
    let each = |off: &'static [&'static str]| {
        BUDGETS
            .map(|budget| Watcher::all(&left_out(off, budget), budget).without(off.iter().copied()))
    };
    let without = sets.iter().map(|off| {
        Watcher::all(&left_out(off, 0.0), BUDGETS[0]).without(off.iter().copied().chain([MODEL]))
    });
    without
        .collect::<Vec<_>>()
        .into_iter()
        .chain(sets.iter().flat_map(|off| each(off)))
        .collect()
}

/// Measures it, and writes the page.
///
/// # Errors
/// When a model can't be opened, or the page can't be written.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    let runs = plan.runs();
    let told = parallel::each(plan.jobs, &runs, |run| {
        let ablate = matches!(run.part, Part::Alone | Part::Abuse);
        let watched = watch::run(run.options, &run.watchers, &plan.files, ablate)?;
        let told = Told::of(&run.watchers, watched);
        if plan.details {
            eprintln!("{}", page::details(run.part, &told));
        }
        anyhow::Ok((run.part, told))
    });
    let told: Vec<(Part, Told)> = told.into_iter().collect::<anyhow::Result<_>>()?;
    let page = Page { told };
    let text = page.markdown();
    println!("{text}");
    if let Some(path) = &plan.markdown {
        std::fs::write(path, text)?;
    }
    Ok(())
}
