//! The pattern of life: what each device does, and what is usual of it.
//!
//! A device is learnt for a time from when it was first seen. What it does in that time is usual, unless
//! it is suspected: then what it did shortly before is forgotten and nothing is learnt until the suspicion is
//! over, so that an attack in the learning time does not become normal. Later, something new becomes known when
//! it has been there for a while without suspicion, which is how the baseline follows change.
//!
//! A device takes about 7 kB with a full history and twenty peers, less without:
//! `docs/performance.md` says how much was measured.

mod answers;
mod census;
mod delta;
mod device;
mod file;
mod introduced;
mod items;
mod judge;
mod moved;
mod open_windows;
mod population;
mod shapes;
mod windows;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use delta::Running;
use introduced::Introduced;
use judge::Judge;
use serde::{Deserialize, Serialize};

pub(crate) use answers::answers_to_all;
pub use census::Census;
pub use delta::Delta;
pub(crate) use device::proves;
pub use device::{Device, DeviceKind};
pub use items::{Fact, Familiar, Items, Occurrence};
pub(crate) use open_windows::OpenWindows;
pub(crate) use population::Population;
pub(crate) use shapes::{FIND, PULLS, acts, asks_all, is_lasting, is_redirect, opened_tcp, works};
pub use windows::{Amounts, FEATURES, Feature, Length, Usual, Windows};

use crate::config::Baseline;
use sensor_facts::{
    observation::{Observation, is_host},
    time::Time,
};

/// Facts of the whole site that are kept.
const SITE_MAX: usize = 65_536;
/// How far a device is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// First seen.
    pub first_seen: Time,
    /// Share of the learning time that has passed, 0 to 1.
    pub learnt: f64,
    /// Learning waits until then, because the device is suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<Time>,
    /// Facts known of it: peers, services, titles, hours.
    pub facts: usize,
    /// Active hours that its usual amounts are made of.
    pub hours: usize,
}

/// All baselines. See the module's description.
pub struct Baselines {
    options: Baseline,
    begin: Option<Time>,
    devices: Population<Device>,
    site: Items,
    introduced: Introduced,
    pools: Vec<Windows>,
    running: Running,
    open_windows: OpenWindows,
    changed: bool,
}

impl Baselines {
    /// Nothing is known.
    #[must_use]
    pub fn new(options: Baseline) -> Self {
        let room = usize::try_from(options.devices).unwrap_or(usize::MAX);
        Self {
            devices: Population::new(room),
            options,
            begin: None,
            site: Items::default(),
            introduced: Introduced::default(),
            pools: vec![Windows::default(); DeviceKind::ALL.len()],
            running: Running::default(),
            open_windows: OpenWindows::default(),
            changed: false,
        }
    }

    /// Bytes of a flow since its last report.
    pub fn delta(&mut self, seen: &Observation) -> Option<Delta> {
        self.running.delta(seen)
    }

    /// Puts other options in force; the number of devices stays.
    pub fn set(&mut self, options: Baseline) {
        self.options = options;
    }

    /// True while the site as a whole is learnt.
    #[must_use]
    pub fn site_learns(&self, now: Time) -> bool {
        self.begin
            .is_none_or(|begin| now.0.saturating_sub(begin.0) < self.learning())
    }

    /// A device.
    #[must_use]
    pub fn device(&self, address: IpAddr) -> Option<&Device> {
        self.devices.peek(&address)
    }

    /// True while all that a device does counts as usual; also of one that was never seen.
    #[must_use]
    pub fn learns(&self, address: IpAddr, now: Time) -> bool {
        self.devices
            .peek(&address)
            .is_none_or(|device| now.0.saturating_sub(device.first.0) < self.learning())
    }

    /// True while a device is learnt that was first seen after the site's own learning time.
    #[must_use]
    pub fn is_newcomer(&self, address: IpAddr, now: Time) -> bool {
        let after = self
            .begin
            .map_or(i64::MAX, |begin| begin.0.saturating_add(self.learning()));
        self.learns(address, now)
            && self
                .devices
                .peek(&address)
                .is_some_and(|device| device.first.0 >= after)
    }

    /// True for a device that speaks DICOM or HL7.
    #[must_use]
    pub fn is_clinical(&self, address: IpAddr) -> bool {
        self.device(address)
            .is_some_and(|device| device.kind() != DeviceKind::Other)
    }

    /// How well a fact of a device is known.
    #[must_use]
    pub fn familiar(&self, address: IpAddr, fact: &Fact<'_>, now: Time) -> Familiar {
        let Some(device) = self.devices.peek(&address) else {
            return Familiar::Never;
        };
        self.judge()
            .familiar(device.items.get(fact), device.first, now)
    }

    /// How well a fact of the site is known.
    #[must_use]
    pub fn familiar_at_site(&self, fact: &Fact<'_>, now: Time) -> Familiar {
        self.judge()
            .familiar(self.site.get(fact), self.begin.unwrap_or(now), now)
    }

    fn judge(&self) -> Judge {
        Judge {
            settle: nanos(self.options.settle.as_nanos()),
            doubt: nanos(self.options.doubt.as_nanos()),
            learning: self.learning(),
        }
    }

    /// What is usual of a device at this time of day; of one without enough history, what is usual of
    /// its kind.
    #[must_use]
    pub fn usual(&self, address: IpAddr, length: Length, feature: Feature) -> Option<Usual> {
        let device = self.devices.peek(&address)?;
        device.windows.usual(length, feature).or_else(|| {
            let pool = self.pools.get(device.kind() as usize)?;
            pool.usual(length, feature)
        })
    }

    /// Devices whose 5-minute window is over at `now`, `limit` at most; each is named once for each window.
    pub fn due(&mut self, now: Time, limit: usize) -> Vec<IpAddr> {
        self.open_windows
            .due(now.0.div_euclid(Length::FiveMinutes.nanos()), limit)
    }

    /// Closes the windows of a device that are over at `now`.
    pub fn close(&mut self, address: IpAddr, now: Time) {
        if let Some(device) = self.devices.peek_mut(&address) {
            device.windows.advance(now);
        }
    }

    /// Learns from an observation.
    pub fn learn(&mut self, seen: &Observation, delta: Option<Delta>) {
        self.changed = true;
        self.begin.get_or_insert(seen.time);
        let number = seen.time.0.div_euclid(Length::FiveMinutes.nanos());
        let judge = self.judge();
        let ends = device::ends(seen, delta);
        let proven = device::proves(seen);
        for end in ends.iter().flatten().filter(|end| is_host(end.address)) {
            let device = self
                .devices
                .meet(end.address, proven, || Device::new(seen.time));
            let new_peer = end.peer_bytes.is_some_and(|(peer, _)| {
                let seen_before = device.items.seen(peer);
                judge.familiar(seen_before, device.first, seen.time) != Familiar::Known
            });
            let kind_before = device.kind();
            let begins = device.windows.advance(seen.time);
            device.take(end, new_peer, seen.time);
            let trusted = device.is_trusted(seen.time);
            if trusted && let Some(pool) = self.pools.get_mut(kind_before as usize) {
                device.lend(pool, seen.time);
            }
            if trusted {
                for fact in &end.site_facts {
                    if self.site.add(*fact, seen.time, SITE_MAX) {
                        self.introduced.add(*fact, end.address, seen.time);
                    } else if !self.introduced.is_empty() {
                        self.introduced.confirm(*fact, end.address);
                    }
                }
            }
            if begins {
                self.open_window(number, end.address);
            }
        }
    }

    /// A window of a device begins.
    fn open_window(&mut self, number: i64, address: IpAddr) {
        let (room, devices) = (self.devices.room(), &self.devices);
        self.open_windows
            .push((number, address), room, |one| devices.peek(one).is_some());
    }

    /// A device is suspected: what it did shortly before is forgotten, also what it alone introduced to the site,
    /// and nothing is learnt of it for a while.
    pub fn distrust(&mut self, address: IpAddr, now: Time) {
        let doubt = nanos(self.options.doubt.as_nanos());
        let freeze = nanos(self.options.freeze.as_nanos());
        let since = Time(now.0.saturating_sub(doubt));
        self.forget_introduced(address, since);
        if let Some(device) = self.devices.peek_mut(&address) {
            device.distrust(since, Time(now.0.saturating_add(freeze)));
            self.changed = true;
        }
    }

    /// A person said that what a device did was malicious: all that was learnt of it since `from` is forgotten.
    pub fn unlearn(&mut self, address: IpAddr, from: Time) {
        self.forget_introduced(address, from);
        if let Some(device) = self.devices.peek_mut(&address) {
            device.items.forget_since(from);
            self.changed = true;
        }
    }

    fn forget_introduced(&mut self, address: IpAddr, since: Time) {
        for fact in self.introduced.take(address, since) {
            self.site.forget(fact);
            self.changed = true;
        }
    }

    /// A person said that it was benign: learning goes on.
    pub fn trust(&mut self, address: IpAddr) {
        if let Some(device) = self.devices.peek_mut(&address) {
            device.frozen = None;
            self.changed = true;
        }
    }

    /// Forgets a device; it is learnt anew from when it is seen next. False if it was not known.
    pub fn reset(&mut self, address: IpAddr) -> bool {
        self.changed = true;
        self.devices.remove(&address).is_some()
    }

    /// How far a device is learnt.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub fn progress(&self, address: IpAddr, now: Time) -> Option<Progress> {
        let device = self.devices.peek(&address)?;
        let passed = now.0.saturating_sub(device.first.0) as f64;
        Some(Progress {
            first_seen: device.first,
            learnt: (passed / self.learning().max(1) as f64).clamp(0.0, 1.0),
            frozen_until: device.frozen.filter(|until| *until > now),
            facts: device.items.len(),
            hours: device.windows.hours(),
        })
    }

    /// Devices known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Devices dropped because they were too many.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.devices.evicted()
    }

    /// Bytes that the devices take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.devices
            .iter()
            .map(|(_, device)| device.memory() + size_of::<IpAddr>() + 4 * size_of::<usize>())
            .sum()
    }

    fn learning(&self) -> i64 {
        nanos(self.options.learning.as_nanos())
    }
}

fn nanos(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}
