//! What a device does in five minutes, and how surprising that is.
//!
//! A window of a device is a vector of [measures](Measure). Its *surprise* in a measure is the negative decimal logarithm of
//! the share of past windows that had at least this value: of its own windows, helped out by those of devices of its
//! [kind](habits) while it has few. So amounts of different devices and sites compare. What many devices are surprising
//! in at once is the site's change; the [crowd](crowd) takes it off.

mod crowd;
mod even;
mod file;
mod habits;
mod history;
mod judged;
mod ledger;
mod measure;
mod needed;
mod news;
mod observe;
mod prior;
mod scores;
mod window;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::{
    observation::{Mac, Observation},
    time::Time,
};

pub use judged::{Judged, Surprise};
pub use ledger::Spending;
pub use measure::{MEASURES, Measure, Side, Unit};
pub use needed::Needed;
pub use prior::{Counts, Prior};

use crate::baseline::{OpenWindows, Population, proves};
use crowd::Crowd;
use even::Even;
use habits::Kind;
use history::{History, Pool, bucket};
use ledger::Ledger;
use news::{Key, News};
use scores::Scores;
use window::Values;

/// Length of a window, nanoseconds.
const WINDOW: i64 = 300_000_000_000;
/// Windows of an hour.
const HOUR: i64 = 12;
/// What is usual of its kind counts as so many windows of a device.
const BORROWED: f64 = 300.0;
/// So many hours of devices a day and 1,000 devices say how noisy a site is.
const ORDINARY: f64 = 100.0;
/// And it counts as so many times as noisy as others at most, or someone who makes noise on purpose would hide in it.
const NOISIEST: f64 = 3.0;
/// From so many windows on, what a device had in one of a hundred can be said.
pub(crate) const OWN_PAST: f64 = 100.0;
/// For each window of a site, so many of other hospitals count.
const PRIOR_SHARE: u32 = 10;
/// No surprise is greater: nobody watches for so long.
const SMALLEST: f64 = 1e-6;

/// A device.
#[derive(Default)]
struct Actor {
    /// The number of the window that goes on, and its values.
    open: Option<(i64, Box<Values>)>,
    history: History,
    kind: Option<Kind>,
    mac: Mac,
    frozen_until: Time,
    /// The hour that goes on, and its greatest score.
    hour: (i64, f64),
}

/// See the module's description.
pub struct Behaviour {
    actors: Population<Actor>,
    open_windows: OpenWindows,
    news: News,
    even: Even,
    /// All devices, and those of each kind.
    all: Pool,
    kinds: HashMap<Kind, Pool>,
    crowd: Crowd,
    scores: Scores,
    needed: Needed,
    prior: Option<Prior>,
    /// How much more this site's ordinary hours score than those of others.
    noise: f64,
    ledger: Ledger,
    changed: bool,
}

impl Behaviour {
    /// With room for so many devices.
    #[must_use]
    pub fn new(devices: u32) -> Self {
        Self {
            actors: Population::new(usize::try_from(devices).unwrap_or(usize::MAX)),
            open_windows: OpenWindows::default(),
            news: News::default(),
            even: Even::default(),
            all: Pool::default(),
            kinds: HashMap::new(),
            crowd: Crowd::default(),
            scores: Scores::default(),
            needed: Needed::of_sums(),
            prior: None,
            noise: 1.0,
            ledger: Ledger::default(),
            changed: false,
        }
    }

    /// The values of the window of a device that goes on.
    fn values(&mut self, address: IpAddr, seen: &Observation) -> Option<&mut Values> {
        let number = seen.time.0.div_euclid(WINDOW);
        let actor = self.actors.meet(address, proves(seen), Actor::default);
        let begins = actor.open.is_none();
        if begins {
            actor.open = Some((number, Box::default()));
            let room = self.actors.room();
            let actors = &self.actors;
            self.open_windows
                .push((number, address), room, |one| actors.peek(one).is_some());
        }
        let (_, values) = self.actors.peek_mut(&address)?.open.as_mut()?;
        Some(values)
    }

    /// Even intervals in a row of this pair of client and service outside.
    fn even(&mut self, seen: &Observation, outside: bool) -> u64 {
        if !outside {
            return 0;
        }
        let pair = Key::of("even")
            .host(seen.client.ip())
            .host(seen.server.ip())
            .number(seen.server.port());
        self.even.take(pair.hash(), seen.time.0)
    }

    /// True if a device's packets come from another Ethernet address than before.
    fn mac_changed(&mut self, address: IpAddr, mac: Mac) -> bool {
        let Some(actor) = self.actors.peek_mut(&address).filter(|_| mac != [0; 6]) else {
            return false;
        };
        let before = std::mem::replace(&mut actor.mac, mac);
        before != [0; 6] && before != mac
    }

    /// Devices whose window is over at `now`, `limit` at most.
    pub fn due(&mut self, now: Time, limit: usize) -> Vec<IpAddr> {
        self.open_windows.due(now.0.div_euclid(WINDOW), limit)
    }

    /// Closes the window of a device: how surprising it was. It is learnt unless the device is suspected.
    pub fn close(&mut self, device: IpAddr) -> Option<Judged> {
        let actor = self.actors.peek_mut(&device)?;
        let (number, values) = actor.open.take()?;
        let hour = number.div_euclid(HOUR);
        let pool = actor.kind.and_then(|kind| self.kinds.get(&kind));
        let pool = pool.unwrap_or(&self.all);
        let own = f64::from(actor.history.windows());
        let prior = self.prior.as_ref();
        let others = |measure, at| match prior {
            Some(prior) => prior.share(pool, measure, at),
            None => pool.share(measure, at),
        };
        let usual_of_others = |measure| match prior {
            Some(prior) => prior.quantile(pool, measure, 0.01),
            None => pool.quantile(measure, 0.01),
        };
        let surprise = |(measure, value): (Measure, u64)| {
            let at = bucket(value);
            let above = f64::from(actor.history.at_least(measure, at));
            let share = (above + BORROWED * others(measure, at)) / (own + BORROWED);
            Surprise {
                measure,
                value,
                raw: -share.clamp(SMALLEST, 1.0).log10(),
                discounted: 0.0,
                share: 0.0,
                usual: if own < OWN_PAST {
                    usual_of_others(measure)
                } else {
                    actor.history.quantile(measure, 0.01)
                },
            }
        };
        let mut surprises: Vec<Surprise> = values.active().map(surprise).collect();
        for one in &mut surprises {
            let crowd = self.crowd.discount(one.measure, device, hour);
            one.discounted = (one.raw - crowd).max(0.0);
            self.crowd.add(one.measure, device, hour, one.raw);
        }
        let begin = Time(number.saturating_mul(WINDOW));
        let windows = actor.history.windows();
        if begin >= actor.frozen_until {
            let buckets = || {
                values
                    .active()
                    .map(|(measure, value)| (measure, bucket(value)))
            };
            actor.history.add(buckets());
            self.all.add(buckets());
            if actor.kind.is_none() || actor.history.windows() % 64 == 0 {
                actor.kind = habits::kind(&actor.history);
            }
            if let Some(kind) = actor.kind {
                self.kinds.entry(kind).or_default().add(buckets());
            }
        }
        self.changed = true;
        Some(Judged::of(device, begin, surprises, windows))
    }

    /// Keeps the score of a window that was judged, once it is known whether its device is suspected: what a suspect does says
    /// nothing about what is ordinary.
    pub fn keep(&mut self, judged: &Judged) {
        let Some(actor) = self.actors.peek_mut(&judged.device) else {
            return;
        };
        let hour = judged.begin.0.div_euclid(WINDOW * HOUR);
        if hour != actor.hour.0 {
            self.scores.add(actor.hour.0, actor.hour.1);
            actor.hour = (hour, 0.0);
            if judged.begin >= actor.frozen_until {
                actor.hour.1 = judged.score;
            }
            self.listen();
        } else if judged.begin >= actor.frozen_until {
            actor.hour.1 = actor.hour.1.max(judged.score);
        }
    }

    /// Takes what a window costs of a budget of false alerts; no score below `least` counts.
    pub fn spend(&mut self, judged: &Judged, budget: f64, least: f64) {
        let hour = judged.begin.0.div_euclid(WINDOW * HOUR);
        let reaches = |budget| judged.score >= self.threshold(budget).max(least);
        if reaches(2.0 * budget) {
            let whole = reaches(budget);
            self.ledger.add(hour, judged.device, whole);
        } else {
            self.ledger.forget(hour);
        }
    }

    /// How a budget was spent in the last 24 hours.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "devices")]
    pub fn spending(&self, budget: f64) -> Spending {
        let (reached, twice) = self.ledger.count();
        Spending {
            budget,
            allowed: budget * self.actors.proven() as f64 / 1_000.0,
            reached,
            twice,
        }
    }

    /// From now on scores are of another scale, by its name: what was needed of the scores before says nothing.
    pub fn set_scale(&mut self, name: &str, needed: Needed) {
        self.needed = needed;
        if self.scores.set_scale(name) {
            for actor in self.actors.values_mut() {
                actor.hour.1 = 0.0;
            }
        }
        self.listen();
    }

    /// How noisy the site is, the ordinary hours say, not the rare ones that an attack is among.
    fn listen(&mut self) {
        let devices = self.actors.proven();
        let site = self.scores.reached(ORDINARY, devices).unwrap_or(0.0);
        self.noise = (site / self.needed.score(ORDINARY)).clamp(1.0, NOISIEST);
    }

    /// The score from which on a window is worth an alert, if so many hours of devices a day and 1,000 devices may be false: what
    /// other hospitals needed, and more where this one is noisier.
    #[must_use]
    pub fn threshold(&self, budget: f64) -> f64 {
        self.needed.score(budget) * self.noise
    }

    /// What windows are like elsewhere, for the first hours of a site; `None` if nobody knows.
    pub fn set_prior(&mut self, prior: Option<Prior>) {
        self.prior = prior;
    }

    /// Windows that a new one is compared with: those of all devices that were learned, and those of other hospitals, so many for
    /// each of its own. In the first windows of a site everything is new, and nobody knows yet that it is so for all devices.
    #[must_use]
    pub fn windows(&self) -> u32 {
        let others = self.prior.as_ref().map_or(0, Prior::windows);
        let own = self.all.windows();
        own.saturating_add(others.min(own.saturating_mul(PRIOR_SHARE)))
    }

    /// A device is suspected: what it does is not learnt until then.
    pub fn distrust(&mut self, device: IpAddr, until: Time) {
        if let Some(actor) = self.actors.peek_mut(&device) {
            actor.frozen_until = actor.frozen_until.max(until);
        }
    }

    /// Devices, facts and rhythms that made room for others.
    pub(crate) fn evicted(&self) -> u64 {
        self.actors.evicted() + self.news.evicted() + self.even.evicted()
    }

    /// Bytes that the devices take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.actors
            .iter()
            .map(|(_, actor)| size_of::<Actor>() + actor.history.heap())
            .sum()
    }
}
