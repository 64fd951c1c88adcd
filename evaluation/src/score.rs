//! Alarms held against the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::time::Time;

use crate::truth::{Episode, Truth};

const HOUR: i64 = 3_600_000_000_000;
const DAY: f64 = 86_400e9;
/// Budgets at which recall is taken: false alarms a day for each 1,000 devices.
pub const BUDGETS: [u32; 3] = [1, 10, 50];

/// Something that a person was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// The device that it is about.
    pub device: IpAddr,
    /// The device is the victim; else it is suspected.
    pub is_victim: bool,
    /// When: at first, and each time that there was more to say.
    pub told: Vec<Time>,
    /// When more was found while it was open.
    pub more: Vec<Time>,
    /// By this they are ranked.
    pub confidence: f64,
    /// The detectors whose findings are in it.
    pub detectors: Vec<String>,
    /// What was found, in words.
    pub title: String,
}

impl Alarm {
    /// When a person knew of an episode by it: it is about who took part as it says, and it was told or, if it was
    /// told before, grew in the episode's time.
    #[must_use]
    pub fn finds(&self, episode: &Episode) -> Option<Time> {
        let who = if self.is_victim {
            &episode.victims
        } else {
            &episode.suspects
        };
        self.told_about(who, episode)
    }

    /// When it was told in an episode's time, if it is about one of these.
    fn told_about(&self, who: &[IpAddr], episode: &Episode) -> Option<Time> {
        if !who.contains(&self.device) {
            return None;
        }
        let end = episode.end.0.saturating_add(HOUR);
        let within = |time: &&Time| (episode.begin.0..=end).contains(&time.0);
        self.told
            .iter()
            .chain(&self.more)
            .filter(within)
            .min()
            .copied()
    }
}

/// Of one class of attacks.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct ClassScore {
    /// How often it happened.
    pub episodes: usize,
    /// How many of them were found.
    pub found: usize,
    /// Seconds from begin to the first word about it, of those found, ascending.
    pub delays: Vec<f64>,
    /// Who found it, and how many episodes of it.
    pub detectors: BTreeMap<String, usize>,
}

impl ClassScore {
    /// The median of the delays, seconds.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        let half = self.delays.len() / 2;
        let upper = self.delays.get(half).copied()?;
        if self.delays.len().is_multiple_of(2) {
            let lower = self.delays.get(half - 1).copied()?;
            return Some(f64::midpoint(lower, upper));
        }
        Some(upper)
    }
}

/// Alarms of a detector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Word {
    /// That found an episode.
    pub right: usize,
    /// That found none.
    pub wrong: usize,
}

/// How well it went.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// The score of each class of attacks.
    pub classes: BTreeMap<String, ClassScore>,
    /// Alarms that found an episode.
    pub right: usize,
    /// Alarms that found none.
    pub wrong: usize,
    /// Those of the wrong ones that name a victim of an attack in its time as a suspect, or the other way round.
    pub beside: usize,
    /// By detector; an alarm of several counts for each.
    pub detectors: BTreeMap<String, Word>,
    /// Episodes found within each of [`BUDGETS`].
    pub within_budget: [usize; 3],
    /// Days that count.
    pub days: f64,
    /// Devices of the site.
    pub devices: usize,
    /// The wrong ones themselves: where in the list of alarms.
    #[serde(skip)]
    pub wrong_ones: Vec<usize>,
    /// Episodes that were not found: where in the truth.
    #[serde(skip)]
    pub missed: Vec<usize>,
}

impl Score {
    /// Holds alarms against the truth.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a span of days")]
    pub fn of(alarms: &[Alarm], truth: &Truth) -> Self {
        let from = truth.counts_from;
        let mut score = Self {
            days: (truth.end.0 - from.0) as f64 / DAY,
            devices: truth.devices,
            ..Self::default()
        };
        let mut found: Vec<Option<(Time, BTreeSet<&str>)>> = vec![None; truth.episodes.len()];
        // What each alarm finds, best first.
        let mut ranked: Vec<Ranked> = Vec::new();
        for (index, alarm) in alarms.iter().enumerate() {
            if alarm.told.iter().all(|time| *time < from) {
                continue;
            }
            let mut finds = Vec::new();
            let mut beside = false;
            for (number, episode) in truth.episodes.iter().enumerate() {
                let Some(time) = alarm.finds(episode) else {
                    beside |= is_beside(alarm, episode);
                    continue;
                };
                finds.push(number);
                let entry = found[number].get_or_insert_with(|| (time, BTreeSet::new()));
                entry.0 = entry.0.min(time);
                entry.1.extend(alarm.detectors.iter().map(String::as_str));
            }
            // One that was told without a reason is wrong, whatever comes later.
            let told = alarm.told.iter().find(|time| **time >= from).copied();
            let about = |number: &usize| {
                let Episode { begin, end, .. } = &truth.episodes[*number];
                told.is_some_and(|told| (begin.0..=end.0.saturating_add(HOUR)).contains(&told.0))
            };
            let right = finds.iter().any(about);
            for detector in &alarm.detectors {
                let word = score.detectors.entry(detector.clone()).or_default();
                word.right += usize::from(right);
                word.wrong += usize::from(!right);
            }
            score.right += usize::from(right);
            score.wrong += usize::from(!right);
            score.beside += usize::from(!right && beside);
            if !right {
                score.wrong_ones.push(index);
            }
            ranked.push(Ranked {
                confidence: alarm.confidence,
                right,
                finds,
            });
        }
        for (number, episode) in truth.episodes.iter().enumerate() {
            if episode.begin < from {
                continue;
            }
            let class = score.classes.entry(episode.class.clone()).or_default();
            class.episodes += 1;
            let Some((time, detectors)) = &found[number] else {
                score.missed.push(number);
                continue;
            };
            class.found += 1;
            class.delays.push((time.0 - episode.begin.0) as f64 / 1e9);
            for detector in detectors {
                *class.detectors.entry((*detector).to_owned()).or_default() += 1;
            }
        }
        for class in score.classes.values_mut() {
            class.delays.sort_unstable_by(f64::total_cmp);
        }
        let counted = |number: &usize| truth.episodes[*number].begin >= from;
        score.within_budget = BUDGETS.map(|budget| {
            let room = f64::from(budget) * score.devices as f64 / 1_000.0 * score.days;
            within(&mut ranked, room, counted)
        });
        score
    }

    /// Episodes that counted.
    #[must_use]
    pub fn episodes(&self) -> usize {
        self.classes.values().map(|class| class.episodes).sum()
    }

    /// Episodes that were found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.classes.values().map(|class| class.found).sum()
    }

    /// Classes of which at least one episode was found.
    #[must_use]
    pub fn classes_found(&self) -> usize {
        self.classes.values().filter(|one| one.found > 0).count()
    }

    /// Wrong alarms a day for each 1,000 devices.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn rate(&self) -> f64 {
        self.wrong as f64 / self.days.max(1e-9) / self.devices.max(1) as f64 * 1_000.0
    }
}

/// An alarm among the others.
struct Ranked {
    confidence: f64,
    right: bool,
    finds: Vec<usize>,
}

/// Episodes found by the best alarms, as far as the wrong ones among them fit into `room`.
#[expect(clippy::cast_precision_loss, reason = "a count of alarms")]
fn within(ranked: &mut [Ranked], room: f64, counted: impl Fn(&usize) -> bool) -> usize {
    // Of equals the wrong ones come first: no luck in the order.
    ranked.sort_by(|a, b| {
        let by = b.confidence.total_cmp(&a.confidence);
        by.then(a.right.cmp(&b.right))
    });
    let mut wrong = 0_usize;
    let mut found = BTreeSet::new();
    for one in ranked {
        wrong += usize::from(!one.right);
        if wrong as f64 > room {
            break;
        }
        found.extend(one.finds.iter().copied());
    }
    found.iter().filter(|number| counted(number)).count()
}

/// It names one who took part, but as the wrong one.
fn is_beside(alarm: &Alarm, episode: &Episode) -> bool {
    let who = if alarm.is_victim {
        &episode.suspects
    } else {
        &episode.victims
    };
    alarm.told_about(who, episode).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn hours(hours: i64) -> Time {
        Time(hours * HOUR)
    }

    fn alarm(device: u8, told: &[i64], confidence: f64) -> Alarm {
        Alarm {
            device: host(device),
            is_victim: false,
            told: told.iter().map(|time| hours(*time)).collect(),
            more: Vec::new(),
            confidence,
            detectors: vec!["scan".to_owned()],
            title: String::new(),
        }
    }

    fn episode(class: &str, suspect: u8, victim: u8, begin: i64, end: i64) -> Episode {
        Episode {
            class: class.to_owned(),
            suspects: vec![host(suspect)],
            victims: vec![host(victim)],
            begin: hours(begin),
            end: hours(end),
        }
    }

    /// Ten days, of which the last five count, 100 devices.
    fn truth() -> Truth {
        Truth {
            episodes: vec![
                episode("scan", 9, 2, 20, 21),
                episode("scan", 1, 2, 130, 131),
                episode("scan", 3, 2, 150, 151),
                episode("flood", 4, 5, 200, 201),
            ],
            devices: 100,
            begin: Time(0),
            end: hours(240),
            counts_from: hours(120),
        }
    }

    #[test]
    fn episodes_are_found_by_alarms_about_who_took_part_in_their_time() {
        let victim = Alarm {
            is_victim: true,
            ..alarm(5, &[201], 0.6)
        };
        let alarms = [
            // What was learnt does not count, neither for nor against.
            alarm(9, &[20], 0.9),
            alarm(8, &[30], 0.9),
            // In time, too late, and about the victim.
            alarm(1, &[132], 0.9),
            alarm(3, &[153], 0.8),
            alarm(2, &[150], 0.8),
            victim,
        ];
        let score = Score::of(&alarms, &truth());
        assert_eq!((score.found(), score.episodes()), (2, 3));
        assert_eq!((score.classes_found(), score.classes.len()), (2, 2));
        assert_eq!((score.right, score.wrong, score.beside), (2, 2, 1));
        assert_eq!(score.classes["scan"].median(), Some(7_200.0));
        assert_eq!(score.detectors["scan"], Word { right: 2, wrong: 2 });
        assert_eq!(score.missed, [2]);
        // 2 in 5 days of 100 devices.
        assert!((score.rate() - 4.0).abs() < 1e-9, "{}", score.rate());
    }

    #[test]
    fn an_alarm_that_is_open_finds_what_it_grows_by_but_stays_wrong() {
        let open = Alarm {
            more: vec![hours(150)],
            ..alarm(3, &[149], 0.9)
        };
        let score = Score::of(&[open], &truth());
        assert_eq!((score.found(), score.wrong, score.right), (1, 1, 0));
    }

    #[test]
    fn a_budget_is_spent_on_the_best_alarms_and_equals_are_no_luck() {
        // 1 a day for each 1,000 devices is half an alarm here, 10 are 5, 50 are 25.
        let mut alarms = vec![alarm(1, &[130], 0.9)];
        alarms.extend((20..28).map(|device| alarm(device, &[140], 0.7)));
        alarms.push(alarm(3, &[150], 0.7));
        let score = Score::of(&alarms, &truth());
        assert_eq!(score.within_budget, [1, 1, 2]);
    }
}
