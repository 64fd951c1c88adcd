//! Decisions that repeat: the first has an entry at once, the rest of an interval one entry that counts them.
//!
//! An attacker can make as many findings as packets. What is written down of them is bounded: each detector and verdict has
//! at most [`SUBJECTS`] kinds of decisions with entries of their own, and all others share one count.

use std::{collections::HashMap, time::Duration};

use sensor_facts::{
    action::{Action, Decision, Repeats},
    rule::Actor,
    time::Time,
};

/// Kinds of decisions (device and reason) of a detector and a verdict that have entries of their own in an interval.
const SUBJECTS: usize = 64;
/// Detectors and verdicts; there are fewer, but the names come from elsewhere.
const GROUPS: usize = 256;

/// What is alike: device and reason, without the numbers in it.
type Kind = (String, String);

/// Counts of one kind.
#[derive(Debug)]
struct Count {
    /// Begin of its interval.
    begin: Time,
    repeats: Option<Repeats>,
}

/// Counts of one detector and verdict.
#[derive(Debug, Default)]
struct Group {
    kinds: HashMap<Kind, Count>,
    /// Of devices for which there was no room.
    others: Option<Count>,
}

/// Which decisions have an entry.
#[derive(Debug)]
pub struct Summaries {
    interval: i64,
    groups: HashMap<(String, String), Group>,
}

/// An entry, and when it is of.
type Due = (Time, Actor, Action);

impl Summaries {
    /// Counts what repeats for so long before it has an entry.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self {
            interval: i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX),
            groups: HashMap::new(),
        }
    }

    /// Takes a decision of `detector`'s finding: gives it back if it is to have an entry of its own. A decision that made
    /// a rule always has one.
    pub fn take(&mut self, now: Time, detector: &str, decision: Decision) -> Option<Decision> {
        let changes = decision.rule.is_some() || matches!(&*decision.verdict, "act" | "propose");
        if changes {
            return Some(decision);
        }
        let key = (detector.to_owned(), decision.verdict.clone());
        let known = self.groups.len() < GROUPS || self.groups.contains_key(&key);
        let key = if known {
            key
        } else {
            ("other".to_owned(), "other".to_owned())
        };
        let group = self.groups.entry(key).or_default();
        let kind = (decision.subject.clone(), without_numbers(&decision.reason));
        if let Some(count) = group.kinds.get_mut(&kind) {
            count.add(now, detector, &decision, true);
            return None;
        }
        if group.kinds.len() < SUBJECTS {
            let count = Count {
                begin: now,
                repeats: None,
            };
            group.kinds.insert(kind, count);
            return Some(decision);
        }
        let others = group.others.get_or_insert(Count {
            begin: now,
            repeats: None,
        });
        others.add(now, detector, &decision, false);
        None
    }

    /// The entries of intervals that are over. A kind that did not repeat is forgotten, so its next decision has an entry
    /// at once.
    pub fn due(&mut self, now: Time) -> Vec<Due> {
        let interval = self.interval;
        self.collect(now, |count| now.0.saturating_sub(count.begin.0) >= interval)
    }

    /// All that was counted, at the end.
    pub fn finish(&mut self, now: Time) -> Vec<Due> {
        let all = self.collect(now, |_| true);
        self.groups.clear();
        all
    }

    /// Another interval from now on.
    pub fn set(&mut self, interval: Duration) {
        self.interval = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX);
    }

    fn collect(&mut self, now: Time, over: impl Fn(&Count) -> bool) -> Vec<Due> {
        let mut due = Vec::new();
        for group in self.groups.values_mut() {
            group.kinds.retain(|_, count| {
                if !over(count) {
                    return true;
                }
                let repeats = count.end(now);
                let repeated = repeats.is_some();
                due.extend(repeats);
                repeated
            });
            if group.others.as_ref().is_some_and(&over) {
                due.extend(group.others.as_mut().and_then(|count| count.end(now)));
                group.others = None;
            }
        }
        self.groups
            .retain(|_, group| !group.kinds.is_empty() || group.others.is_some());
        due.sort_by_key(|repeats| repeats.first);
        let entry = |repeats: Repeats| {
            let actor = Actor::Policy {
                group: repeats.group.clone(),
            };
            (now, actor, Action::DecidedAgain(repeats))
        };
        due.into_iter().map(entry).collect()
    }
}

impl Count {
    fn add(&mut self, now: Time, detector: &str, decision: &Decision, alike: bool) {
        let (first, count) = self
            .repeats
            .as_ref()
            .map_or((now, 0), |repeats| (repeats.first, repeats.count));
        self.repeats = Some(Repeats {
            detector: detector.to_owned(),
            subject: alike.then(|| decision.subject.clone()),
            count: count + 1,
            first,
            last: now,
            finding: decision.finding.clone(),
            group: decision.group.clone(),
            mode: decision.mode.clone(),
            verdict: decision.verdict.clone(),
            reason: decision.reason.clone(),
        });
    }

    fn end(&mut self, now: Time) -> Option<Repeats> {
        self.begin = now;
        self.repeats.take()
    }
}

/// Two reasons that differ in numbers alone are one.
fn without_numbers(reason: &str) -> String {
    reason
        .chars()
        .filter(|one| !one.is_ascii_digit() && *one != '.')
        .collect()
}
