//! Which device introduced a fact that is new at the site, as long as the fact may still be forgotten: an intruder's
//! titles must not become the site's own because it was suspected too late.

use std::{collections::VecDeque, net::IpAddr};

use sensor_facts::time::Time;

/// Facts that are followed at most.
const FACTS: usize = 4_096;
/// How long they are followed, in nanoseconds.
const FOLLOWED: i64 = 86_400_000_000_000;

/// A fact, by its hash, and who introduced it.
struct One {
    fact: u64,
    by: IpAddr,
    time: Time,
}

/// The facts that devices introduced, in the order of time. It is not kept over a restart.
#[derive(Default)]
pub(super) struct Introduced(VecDeque<One>);

impl Introduced {
    /// Adds a fact that was new, and the device that introduced it.
    pub(super) fn add(&mut self, fact: u64, by: IpAddr, time: Time) {
        let old = |one: &One| time.0.saturating_sub(one.time.0) > FOLLOWED;
        while self.0.len() >= FACTS || self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
        self.0.push_back(One { fact, by, time });
    }

    /// A device shows a fact that was known: if another introduced it, it is no longer that one's alone.
    pub(super) fn confirm(&mut self, fact: u64, by: IpAddr) {
        self.0.retain(|one| one.fact != fact || one.by == by);
    }

    /// True if no fact is followed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The facts that a device alone introduced since then; they are no longer followed.
    pub(super) fn take(&mut self, by: IpAddr, since: Time) -> Vec<u64> {
        let mut facts = Vec::new();
        self.0.retain(|one| {
            let taken = one.by == by && one.time >= since;
            if taken {
                facts.push(one.fact);
            }
            !taken
        });
        facts
    }
}
