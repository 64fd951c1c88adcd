//! Who brought what is new at the site, as long as that may yet be forgotten: an intruder's titles must not
//! become the site's own because it was suspected too late.

use std::{collections::VecDeque, net::IpAddr};

use sensor_facts::time::Time;

/// Facts that are followed.
const FACTS: usize = 4_096;
/// For so long, nanoseconds.
const FOLLOWED: i64 = 86_400_000_000_000;

/// A fact, by its hash.
struct One {
    fact: u64,
    by: IpAddr,
    time: Time,
}

/// See the module's description. It is not kept over a restart.
#[derive(Default)]
pub(super) struct Brought(VecDeque<One>);

impl Brought {
    /// A device brought a fact that was new.
    pub(super) fn add(&mut self, fact: u64, by: IpAddr, time: Time) {
        let old = |one: &One| time.0.saturating_sub(one.time.0) > FOLLOWED;
        while self.0.len() >= FACTS || self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
        self.0.push_back(One { fact, by, time });
    }

    /// A device says a fact that was there: if another brought it, it is no longer that one's alone.
    pub(super) fn confirm(&mut self, fact: u64, by: IpAddr) {
        self.0.retain(|one| one.fact != fact || one.by == by);
    }

    /// True without any: there is nothing to confirm.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The facts that a device alone brought since then; they are followed no more.
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
