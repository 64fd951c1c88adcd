//! Distinct things that a suspect did in a time, bounded.

use std::{cmp::Reverse, collections::HashMap, hash::Hash, net::IpAddr};

use foldhash::fast::RandomState;
use sensor_facts::{setting::Span, time::Time, words};

use super::fair::{FairTable, Who};

/// Suspects that are watched at once by each window.
const SUSPECTS: usize = 4_096;
/// Things that are kept of each.
const THINGS: usize = 1_024;

/// After so long without anything more a suspect has finished, nanoseconds.
const QUIET: i64 = 2_000_000_000;

/// So many times the window is kept, for what comes late.
const LATE: i64 = 4;

/// How late, as a share of the window, a thing may come and still be spared the count.
const MARGIN: i64 = 4;

struct Suspect<T> {
    things: HashMap<T, Time, RandomState>,
    latest: Time,
    /// Windows that end not before this time hold at most so many things.
    most: (Time, usize),
    /// When what is too old was thrown away last.
    cleared: Time,
    /// When they were told last, and how many they were.
    told: Option<(Time, usize)>,
    /// Everything that was added since `begun`, also what was there already and what had no room.
    attempts: u64,
    begun: Time,
    /// Something was added since it was told, and is in `growing`.
    grew: bool,
}

/// All that a suspect did in a time, once nothing more came for a while.
pub(super) struct Settled<T> {
    /// The suspect.
    pub(super) suspect: IpAddr,
    /// When the last of it was seen.
    pub(super) time: Time,
    /// Distinct things, in their order.
    pub(super) things: Vec<T>,
    /// How often something was done; none if some of it was before this time.
    pub(super) attempts: Option<u64>,
    /// How long it took, in begun seconds.
    pub(super) took: i64,
}

impl<T: Ord + Clone> Suspect<T> {
    /// All of the last `nanoseconds`, if that is more than was told.
    fn settle(&self, suspect: IpAddr, nanoseconds: i64) -> Option<Settled<T>> {
        let (time, told) = self.told?;
        let begin = self.latest.0.saturating_sub(nanoseconds);
        let within = || self.things.iter().filter(|(_, time)| time.0 >= begin);
        let first = within().map(|(_, time)| time.0).min()?;
        let mut things: Vec<T> = within().map(|(thing, _)| thing.clone()).collect();
        things.sort_unstable();
        let attempts = (self.begun.0 >= begin).then_some(self.attempts);
        let more = things.len() > told || attempts.is_some_and(|all| all > told as u64);
        let seconds = self.latest.0.saturating_sub(first) / 1_000_000_000 + 1;
        (more && time.0 >= begin).then_some(Settled {
            suspect,
            time: self.latest,
            things,
            attempts,
            took: seconds.min((nanoseconds / 1_000_000_000).max(1)),
        })
    }
}

impl<T> Settled<T> {
    /// How often something was done, as far as that is known.
    fn size(&self) -> u64 {
        (self.things.len() as u64).max(self.attempts.unwrap_or(0))
    }

    /// The same in words: `at least` where there may be more.
    pub(super) fn count(&self) -> String {
        match self.attempts {
            Some(_) => words::count(self.size()),
            None => at_least(self.things.len()),
        }
    }
}

/// Of each suspect the window that holds most, by suspect.
pub(super) fn largest<T>(all: impl IntoIterator<Item = Settled<T>>) -> Vec<Settled<T>> {
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|one| (one.suspect, Reverse(one.size())));
    all.dedup_by_key(|one| one.suspect);
    all
}

/// A number of distinct things, of which a window keeps no more than [`THINGS`].
pub(super) fn at_least(count: usize) -> String {
    let more = if count >= THINGS { "at least " } else { "" };
    format!("{more}{}", words::count(count as u64))
}

/// The same with what they are, such as `ports`.
pub(super) fn several_at_least(count: usize, things: &str) -> String {
    let more = if count >= THINGS { "at least " } else { "" };
    format!("{more}{}", words::several(count as u64, things))
}

/// What each suspect did in the last `nanoseconds`.
pub(super) struct Window<T> {
    suspects: FairTable<Suspect<T>>,
    nanoseconds: i64,
    threshold: usize,
    /// How long that took which was told last, nanoseconds.
    took: i64,
    /// Suspects that did more than was told, where somebody asks for them.
    growing: Vec<IpAddr>,
    settles: bool,
}

impl<T: Hash + Ord + Clone> Window<T> {
    pub(super) fn new(within: Span, threshold: u32) -> Self {
        Self {
            suspects: FairTable::new(SUSPECTS),
            nanoseconds: i64::try_from(within.as_nanos()).unwrap_or(i64::MAX),
            threshold: usize::try_from(threshold)
                .unwrap_or(usize::MAX)
                .clamp(1, THINGS),
            took: 0,
            growing: Vec::new(),
            settles: false,
        }
    }

    /// Adds something; all of the time, in their order, if they are as many as the threshold. Once in the time, and
    /// again each time that they have doubled.
    pub(super) fn add(&mut self, who: Who, thing: T, now: Time) -> Option<Vec<T>> {
        let suspect = self.suspects.get_or_insert_with(who, now, || Suspect {
            things: HashMap::default(),
            latest: Time(i64::MIN),
            most: (Time(i64::MIN), 0),
            cleared: now,
            told: None,
            attempts: 0,
            begun: now,
            grew: false,
        });
        // Flows are told when they are over, so times can come out of order.
        let latest = suspect.latest.max(now);
        if latest.0.saturating_sub(suspect.latest.0) > self.nanoseconds {
            (suspect.attempts, suspect.begun) = (0, now);
        }
        suspect.latest = latest;
        suspect.attempts += 1;
        suspect.begun = suspect.begun.min(now);
        let more = self.settles && suspect.told.is_some() && !suspect.grew;
        if more && self.growing.len() < SUSPECTS {
            suspect.grew = true;
            self.growing.push(who.address);
        }
        let oldest = latest
            .0
            .saturating_sub(self.nanoseconds.saturating_mul(LATE));
        // Looking at all of them each time would cost a scan's every packet a thousand looks.
        let full = suspect.things.len() >= THINGS;
        let pause = if full {
            self.nanoseconds / 16
        } else {
            self.nanoseconds
        };
        if latest.0.saturating_sub(suspect.cleared.0) >= pause {
            suspect.things.retain(|_, time| time.0 >= oldest);
            suspect.cleared = latest;
        }
        let begin = now.0.saturating_sub(self.nanoseconds);
        let end = now.0.saturating_add(self.nanoseconds);
        if suspect.things.len() < THINGS || suspect.things.contains_key(&thing) {
            suspect.things.insert(thing, now);
            suspect.most.1 += 1;
        }
        let told = suspect.told.filter(|(time, _)| time.0 >= begin);
        let threshold = told.map_or(self.threshold, |(_, count)| count * 2);
        let (from, most) = suspect.most;
        if suspect.things.len() < threshold || now >= from && most < threshold {
            return None;
        }
        let within = |time: &Time| (begin..=end).contains(&time.0);
        let margin = self.nanoseconds / MARGIN;
        let (mut count, mut most) = (0, 0);
        for time in suspect.things.values() {
            count += usize::from(within(time));
            most += usize::from(time.0 >= begin.saturating_sub(margin));
        }
        suspect.most = (Time(now.0.saturating_sub(margin)), most);
        if count < threshold {
            return None;
        }
        let (mut first, mut last) = (now, now);
        let mut things = Vec::with_capacity(count);
        for (thing, time) in &suspect.things {
            if within(time) {
                (first, last) = (first.min(*time), last.max(*time));
                things.push(thing.clone());
            }
        }
        self.took = last.0.saturating_sub(first.0);
        things.sort_unstable();
        suspect.told = Some((now, things.len()));
        Some(things)
    }

    /// What suspects did beyond what was told of them, of whom nothing more came for [`QUIET`].
    pub(super) fn settled(&mut self, now: Time) -> Vec<Settled<T>> {
        self.settles = true;
        let mut all = Vec::new();
        let mut growing = std::mem::take(&mut self.growing);
        growing.retain(|address| {
            let Some(suspect) = self.suspects.get_mut(*address) else {
                return false;
            };
            if now.0.saturating_sub(suspect.latest.0) < QUIET {
                return true;
            }
            suspect.grew = false;
            all.extend(suspect.settle(*address, self.nanoseconds));
            false
        });
        self.growing = growing;
        all
    }

    /// Suspects that made room for others.
    pub(super) const fn evicted(&self) -> u64 {
        self.suspects.evicted()
    }

    /// The time that is looked at, seconds.
    pub(super) const fn seconds(&self) -> i64 {
        self.nanoseconds / 1_000_000_000
    }

    /// How long that took which was told last, in begun seconds: evidence names no time that was not watched.
    pub(super) fn took(&self) -> i64 {
        (self.took / 1_000_000_000 + 1).min(self.seconds().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by counting everything each time.
    fn counted(things: &HashMap<u32, i64>, now: i64, nanoseconds: i64) -> usize {
        let within = now - nanoseconds..=now + nanoseconds;
        things.values().filter(|time| within.contains(time)).count()
    }

    #[test]
    fn what_came_after_the_last_doubling_is_told_once_it_is_over() {
        const SECOND: i64 = 1_000_000_000;
        let mut window = Window::new(Span::from_nanos(60 * 1_000_000_000), 20);
        let suspect = Who::unconfirmed([10, 0, 0, 1]);
        assert!(window.settled(Time(0)).is_empty());
        for port in 0..2_000_u32 {
            window.add(suspect, port, Time(SECOND + i64::from(port)));
        }
        assert!(window.settled(Time(2 * SECOND)).is_empty(), "it goes on");
        let settled = window.settled(Time(4 * SECOND));
        let [all] = &settled[..] else {
            panic!("{} suspects", settled.len())
        };
        assert_eq!((all.attempts, all.things.len()), (Some(2_000), THINGS));
        assert_eq!(all.count(), "2,000");
        assert_eq!(
            several_at_least(all.things.len(), "ports"),
            "at least 1,024 ports"
        );
        assert_eq!(all.time, Time(SECOND + 1_999));
        assert!(window.settled(Time(9 * SECOND)).is_empty(), "once");

        // What was told exactly is not told again.
        let mut window = Window::new(Span::from_nanos(60 * 1_000_000_000), 20);
        assert!(window.settled(Time(0)).is_empty());
        let told = (0..20_u32).filter_map(|port| window.add(suspect, port, Time(SECOND)));
        assert_eq!(told.count(), 1);
        assert!(window.settled(Time(9 * SECOND)).is_empty());
    }

    #[test]
    fn what_is_spared_the_count_is_below_the_threshold() {
        const LENGTH: i64 = 1_000;
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        let suspect = Who {
            address: [10, 0, 0, 1].into(),
            confirmed: false,
        };
        for _ in 0..100 {
            let mut window = Window::new(Span::from_nanos(LENGTH.unsigned_abs()), 20);
            let mut all: HashMap<u32, i64> = HashMap::new();
            let (mut clock, mut told) = (0, None::<(i64, usize)>);
            let pace = 20 + next(100);
            for _ in 0..500 {
                clock += i64::try_from(next(pace)).expect("small");
                // Some come late, some very late, and some again.
                let late = if next(4) == 0 { next(3_000) } else { next(100) };
                let now = clock - i64::try_from(late).expect("small");
                let thing = u32::try_from(next(400)).expect("small");
                all.insert(thing, now);
                let count = counted(&all, now, LENGTH);
                let before = told.filter(|(time, _)| *time >= now - LENGTH);
                let expected = count >= before.map_or(20, |(_, count)| count * 2);
                let things = window.add(suspect, thing, Time(now));
                assert_eq!(things.as_ref().map(Vec::len), expected.then_some(count));
                if expected {
                    told = Some((now, count));
                }
            }
        }
    }
}
