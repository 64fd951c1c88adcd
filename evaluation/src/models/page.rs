//! The page of the documentation.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    ALL, BUDGETS, Part, Told, WRITTEN_FOR,
    ablation::{Reached, WAYS},
    left_out,
};
use crate::{
    report,
    score::Score,
    table::{markdown, seconds},
    truth::Truth,
};

const HEAD: &str = "\
# What the models find

Made by `cargo xtask evaluate models`. [How well it does](evaluation.md) says how it is counted and what all of Wardtap finds; [models](models.md) says how the model of windows works.
All hospitals are simulated, two weeks of about 240 devices where nothing else is said; the first week is learnt. \"Model\" is the detector `unusual_behaviour` with `windows-v1.onnx` and no other detector; its budget is the number of false hours of devices a day and 1,000 devices.
";

/// A part, its heading, and what makes its tables.
type Section = (Part, &'static str, fn(&Page) -> String);

/// Episodes found, all of them, and the delays of those found.
type Found = (usize, usize, Vec<f64>);

/// What was measured.
pub(super) struct Page {
    pub(super) told: Vec<(Part, Told)>,
}

/// Each false alert and each missed episode, by sensor.
pub(super) fn details(part: Part, told: &Told) -> String {
    let mut text = String::new();
    for (name, alarms, score) in &told.scores {
        let _ = writeln!(text, "{part:?}, seed {}: {name}", told.options.seed);
        text.push_str(&report::details(score, alarms, &told.truth));
    }
    text
}

/// Found of all, classes of all, and false alerts.
fn cells(score: &Score) -> Vec<String> {
    vec![
        format!("{} of {}", score.found(), score.episodes()),
        format!("{} of {}", score.classes_found(), score.classes.len()),
        score.wrong.to_string(),
        format!("{:.1}", score.rate()),
    ]
}

const HEADINGS: [&str; 6] = [
    "hospital",
    "sensor",
    "episodes found",
    "classes found",
    "false alerts",
    "a day per 1,000 devices",
];

impl Page {
    fn of(&self, part: Part) -> impl Iterator<Item = &Told> {
        let all = self.told.iter();
        all.filter(move |one| one.0 == part).map(|one| &one.1)
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = HEAD.to_owned();
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
        let _ = writeln!(text, "\nMeasured on {today}.");
        let sections: [Section; 7] = [
            (
                Part::Alone,
                "## The model alone, and beside the detectors\n\nNothing was chosen by these hospitals.",
                Self::alone,
            ),
            (
                Part::Alone,
                "## What its parts add\n\nThe same windows, scored in different ways, each at the score that gives 10 false hours of devices a day and 1,000 devices in that hospital, known afterwards. Nothing is held back while a device is suspected, and a window counts for an attack whatever it is about, so the numbers are a little above those of alerts. The last two rows take the score that the product takes: as other hospitals needed it, and corrected by how noisy this one is.",
                Self::parts,
            ),
            (
                Part::Classes,
                "## Each class without its own detectors\n\nOnly the detectors that were written for the class are off. The last two columns add the model with its budget.",
                Self::classes,
            ),
            (
                Part::FirstDay,
                "## The first day\n\nA sensor that is switched on at 9 o'clock on a Monday while attacks begin at once. Cumulative: attacks that began, and alerts that were told, until then.",
                Self::first_day,
            ),
            (
                Part::Abuse,
                "## Those who turn on what the model forgives\n\nTwenty devices that do the same at once; a worm; a theft that grows by a tenth each day or each three hours; an intruder who was there before the sensor. What goes on since the time of learning counts from its end.",
                Self::abuse,
            ),
            (
                Part::Unseen,
                "## Attacks that no detector was written for\n\nAs they came out when they were first run: neither a detector nor the model was changed for them.",
                Self::unseen,
            ),
            (
                Part::Shapes,
                "## Hospitals of other shapes\n\nSize, habits, hours, IPv6, VLANs, loss, renumbering and shared addresses are drawn from wide ranges by the seed; there is more change: a migration of archives, pumps that report to a new service, workstations with other work, a monitor that falls silent, a modality that can't reach its archive.",
                Self::shapes,
            ),
        ];
        for (part, head, section) in sections {
            if self.of(part).next().is_some() {
                let _ = write!(text, "\n{head}\n\n{}", section(self));
            }
        }
        text
    }

    fn rows(&self, part: Part, hospital: impl Fn(&Told) -> String) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for told in self.of(part) {
            for (name, _, score) in &told.scores {
                let mut row = vec![hospital(told), name.clone()];
                row.extend(cells(score));
                rows.push(row);
            }
        }
        rows
    }

    fn alone(&self) -> String {
        let rows = self.rows(Part::Alone, |told| format!("seed {}", told.options.seed));
        markdown(&HEADINGS, &rows)
    }

    fn parts(&self) -> String {
        self.ways(Part::Alone)
    }

    /// What each way to score comes to.
    fn ways(&self, part: Part) -> String {
        let control = [
            "the product at the score of other hospitals",
            "the product at the score that its budget sets here",
        ];
        let mut rows = Vec::new();
        let all: Vec<&Told> = self.of(part).collect();
        let of = |pick: &dyn Fn(&super::Ablation) -> Option<&Reached>| -> Vec<String> {
            all.iter()
                .filter_map(|told| pick(told.ablation.as_ref()?))
                .map(|it| {
                    format!(
                        "{} of {}, {} of {} ({:.1})",
                        it.found, it.episodes, it.classes, it.all_classes, it.rate
                    )
                })
                .collect()
        };
        for (way, name) in WAYS.into_iter().enumerate() {
            let mut row = vec![name.to_owned()];
            row.extend(of(&|it| it.ways.get(way)));
            rows.push(row);
        }
        for (which, name) in control.into_iter().enumerate() {
            let mut row = vec![name.to_owned()];
            row.extend(of(&|it| it.control.get(which)));
            rows.push(row);
        }
        let seeds: Vec<String> = all
            .iter()
            .map(|it| format!("seed {}", it.options.seed))
            .collect();
        let mut head = vec!["episodes, classes (false hours a day per 1,000 devices)"];
        head.extend(seeds.iter().map(String::as_str));
        markdown(&head, &rows)
    }

    fn classes(&self) -> String {
        let all: Vec<&Told> = self.of(Part::Classes).collect();
        let mut rows = Vec::new();
        let mut whole = [0; 3];
        for (class, off) in WRITTEN_FOR {
            let mut row = vec![class.to_owned(), off.join(", ")];
            for (nth, budget) in [0.0, BUDGETS[0], BUDGETS[1]].into_iter().enumerate() {
                let name = left_out(off, budget);
                let one = |told: &&Told| {
                    let score = told.score(&name)?.classes.get(class)?;
                    Some((score.found, score.episodes))
                };
                let found: Vec<(usize, usize)> = all.iter().filter_map(one).collect();
                whole[nth] += usize::from(!found.is_empty() && found.iter().all(|it| it.0 > 0));
                let words: Vec<String> = found.iter().map(|(a, b)| format!("{a} of {b}")).collect();
                row.push(words.join(", "));
            }
            rows.push(row);
        }
        let mut last = vec!["classes found in each".to_owned(), String::new()];
        last.extend(whole.map(|many| format!("{many} of {}", WRITTEN_FOR.len())));
        rows.push(last);
        let seeds: Vec<String> = all.iter().map(|it| it.options.seed.to_string()).collect();
        let seeds = seeds.join(" and ");
        let head = [
            "class",
            "off",
            "the others",
            "and the model, budget 1",
            "and the model, budget 10",
        ];
        format!(
            "Seeds {seeds}, episodes found in each.\n\n{}",
            markdown(&head, &rows)
        )
    }

    fn first_day(&self) -> String {
        let mut rows = Vec::new();
        for told in self.of(Part::FirstDay) {
            for (name, alarms, _) in &told.scores {
                let mut row = vec![format!("seed {}", told.options.seed), name.clone()];
                for hours in [1, 6, 24] {
                    let end = told.truth.counts_from.0 + hours * 3_600_000_000_000;
                    let mut truth: Truth = told.truth.clone();
                    truth.episodes.retain(|one| one.begin.0 < end);
                    let mut alarms = alarms.clone();
                    for alarm in &mut alarms {
                        alarm.told.retain(|time| time.0 < end);
                        alarm.more.retain(|time| time.0 < end);
                    }
                    alarms.retain(|alarm| !alarm.told.is_empty());
                    let score = Score::of(&alarms, &truth);
                    let (found, all) = (score.found(), score.episodes());
                    row.push(format!("{found} of {all}, {} false", score.wrong));
                }
                rows.push(row);
            }
        }
        markdown(
            &["hospital", "sensor", "hour 1", "hour 6", "hour 24"],
            &rows,
        )
    }

    /// Of each class, how many episodes were found by a sensor in all hospitals, and how soon.
    fn by_class(&self, part: Part) -> String {
        let mut classes: BTreeMap<&str, BTreeMap<&str, Found>> = BTreeMap::new();
        let mut sensors: Vec<&str> = Vec::new();
        for told in self.of(part) {
            for (name, _, score) in &told.scores {
                if !sensors.contains(&name.as_str()) {
                    sensors.push(name);
                }
                for (class, one) in &score.classes {
                    let entry = classes.entry(class).or_default().entry(name).or_default();
                    entry.0 += one.found;
                    entry.1 += one.episodes;
                    entry.2.extend(&one.delays);
                }
            }
        }
        let mut rows = Vec::new();
        for (class, by) in &classes {
            let mut row = vec![(*class).to_owned()];
            for sensor in &sensors {
                row.push(
                    by.get(sensor)
                        .map_or_else(String::new, |(found, all, delays)| {
                            let mut delays = delays.clone();
                            delays.sort_by(f64::total_cmp);
                            let median = delays.get(delays.len() / 2).copied().map(seconds);
                            let time = median.map_or_else(String::new, |it| format!(", {it}"));
                            format!("{found} of {all}{time}")
                        }),
                );
            }
            rows.push(row);
        }
        let mut head = vec!["class: found, median time"];
        head.extend(&sensors);
        markdown(&head, &rows)
    }

    fn abuse(&self) -> String {
        let rows = self.rows(Part::Abuse, |told| format!("seed {}", told.options.seed));
        format!(
            "{}\n{}\n{}",
            self.by_class(Part::Abuse),
            self.ways(Part::Abuse),
            markdown(&HEADINGS, &rows)
        )
    }

    fn unseen(&self) -> String {
        let rows = self.rows(Part::Unseen, |told| format!("seed {}", told.options.seed));
        format!(
            "{}\n{}",
            self.by_class(Part::Unseen),
            markdown(&HEADINGS, &rows)
        )
    }

    fn shapes(&self) -> String {
        let shape = |told: &Told| {
            let words = told
                .options
                .shape()
                .map_or_else(String::new, |it| it.words());
            format!("- seed {}: {words}", told.options.seed)
        };
        let shapes: Vec<String> = self.of(Part::Shapes).map(shape).collect();
        let rows = self.rows(Part::Shapes, |told| format!("seed {}", told.options.seed));
        let missed = self.of(Part::Shapes).map(|told| {
            let score = told.score(ALL);
            let missed = score.into_iter().flat_map(|it| {
                let none = |one: &(&String, &crate::score::ClassScore)| one.1.found == 0;
                it.classes
                    .iter()
                    .filter(none)
                    .map(|one| one.0.as_str())
                    .collect::<Vec<_>>()
            });
            let missed: Vec<&str> = missed.collect();
            format!("seed {}: {}", told.options.seed, missed.join(", "))
        });
        let missed: Vec<String> = missed.collect();
        format!(
            "{}\n\n{}\nClasses of which the detectors find nothing: {}.\n",
            shapes.join("\n"),
            markdown(&HEADINGS, &rows),
            missed.join("; ")
        )
    }
}
