//! A hospital of a few hundred devices, two weeks of it, made anew from a seed.

pub(crate) mod association;
mod change;
pub(crate) mod datagram;
mod imaging;
pub(crate) mod messages;
mod mirror;
mod more_change;
mod network;
mod office;
mod rhythm;
pub(crate) mod shape;
mod sim;
pub(crate) mod site;
pub(crate) mod talk;
#[cfg(test)]
mod tests;
mod ward;
pub(crate) mod world;

use std::net::IpAddr;

use self::{
    mirror::Mirror,
    shape::Shape,
    sim::Sim,
    site::Site,
    world::{Id, World},
};
use crate::{
    attack::{Cases, Scenario},
    traffic::Traffic,
    truth::{Episode, Truth},
    wire::burst::{DAY, HOUR},
};
use sensor_facts::time::Time;

/// A Monday: 2026-03-02, midnight.
const BEGIN: u64 = 1_772_409_600 * 1_000_000_000;

/// What the hospital is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub struct Options {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// How long, at least 2.
    pub days: u64,
    /// How many devices, about; from 40 to 400.
    pub devices: usize,
    /// Attacks in the second half.
    pub attacks: bool,
    /// An attack in the first half, while the site is learnt.
    pub poisoned: bool,
    /// Which attacks.
    pub cases: Cases,
    /// The sensor is new: it sees nothing before 9 o'clock of the first day, and then the attacks begin.
    pub first_day: bool,
    /// Habits, network and changes are drawn from wide ranges by the seed, and so is the number of devices.
    pub shaped: bool,
}

impl Options {
    /// Two weeks of a hospital of 240 devices.
    pub const USUAL: Self = Self {
        seed: 1,
        days: 14,
        devices: 240,
        attacks: true,
        poisoned: false,
        cases: Cases::Usual,
        first_day: false,
        shaped: false,
    };

    /// The shape that the seed draws, if it is to.
    pub(crate) fn shape(&self) -> Option<Shape> {
        self.shaped.then(|| Shape::of(self.seed))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::USUAL
    }
}

/// A simulated hospital.
#[derive(Debug)]
pub struct Hospital {
    options: Options,
    truth: Truth,
}

impl Hospital {
    /// The hospital that these options describe.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let span = Span::of(options);
        // The attacks are rehearsed without the hospital, so that the truth is known before.
        let (world, scenario, devices) = build(options, span, false);
        let addresses = |hosts: &[Id], from: u64, to: u64| {
            let mut all = Vec::new();
            for host in hosts {
                for time in [from, to] {
                    let address = world.address(*host, time);
                    let shape = world.shape.as_ref();
                    let seen = shape.map_or_else(
                        || vec![IpAddr::V4(address)],
                        |shape| Mirror::addresses(shape, address),
                    );
                    for address in seen {
                        if !all.contains(&address) {
                            all.push(address);
                        }
                    }
                }
            }
            all
        };
        let mut seen = vec![None; scenario.staged.len()];
        let (rehearsal, ..) = build(options, span, false);
        Sim::new(rehearsal).run(span.end, &mut |time, _, episode| {
            if let Some(seen) = episode.and_then(|nth| seen.get_mut(nth)) {
                let (first, _) = seen.unwrap_or((time, time));
                *seen = Some((first, time));
            }
        });
        let mut episodes: Vec<Episode> = scenario
            .staged
            .iter()
            .zip(seen)
            .map(|(staged, seen)| {
                let (mut first, last) = seen.unwrap_or((staged.begin, staged.begin));
                // What goes on from the time of learning is looked for after it.
                if first < span.counts && last > span.counts {
                    first = span.counts;
                }
                Episode {
                    class: staged.class.to_owned(),
                    suspects: addresses(&staged.suspects, first, last),
                    victims: addresses(&staged.victims, first, last),
                    begin: at(first),
                    end: at(last),
                }
            })
            .collect();
        episodes.sort_by_key(|episode| episode.begin);
        Self {
            options,
            truth: Truth {
                episodes,
                devices,
                begin: at(span.seen),
                end: at(span.end),
                counts_from: at(span.counts),
            },
        }
    }
}

fn at(time: u64) -> Time {
    Time(time.cast_signed())
}

#[derive(Clone, Copy)]
struct Span {
    /// When the hospital begins to work.
    begin: u64,
    /// When the sensor begins to see it.
    seen: u64,
    /// When attacks begin, and what is found counts.
    counts: u64,
    /// When the changes begin.
    half: u64,
    end: u64,
}

impl Span {
    fn of(options: Options) -> Self {
        let days = options.days.max(2);
        let half = BEGIN + days.div_ceil(2) * DAY;
        let morning = BEGIN + 9 * HOUR;
        Self {
            begin: BEGIN,
            seen: if options.first_day { morning } else { BEGIN },
            counts: if options.first_day { morning } else { half },
            half,
            end: BEGIN + days * DAY,
        }
    }
}

/// The world with its attacks, and, if it is to live, all else. The last number is that of the devices.
fn build(options: Options, span: Span, live: bool) -> (World, Scenario, usize) {
    let Span {
        begin,
        counts,
        half,
        end,
        ..
    } = span;
    let mut world = World::new(options.seed);
    world.shape = options.shape();
    let devices = world
        .shape
        .as_ref()
        .map_or(options.devices, |it| it.devices);
    let site = Site::build(&mut world, devices.clamp(40, 400));
    let fails = more_change::fails(&world, &site, half).filter(|_| options.shaped);
    world.fails = fails;
    let arrivals = change::arrive(&mut world, &site, begin, half);
    let mut scenario = Scenario::default();
    if options.poisoned {
        scenario.poison(&mut world, &site, begin, half);
    }
    if options.attacks {
        scenario.all(&mut world, &site, options.cases, (begin, counts, end));
    }
    if live {
        imaging::live(&mut world, &site, begin);
        messages::live(&mut world, &site, begin);
        office::live(&mut world, &site, begin);
        ward::live(&mut world, &site, begin);
        network::live(&mut world, &site, begin);
        change::live(&mut world, &site, &arrivals, (half, end));
        if options.shaped {
            more_change::live(&mut world, &site, (half, end));
        }
    }
    (world, scenario, site.devices + arrivals.devices)
}

impl Traffic for Hospital {
    fn truth(&self) -> &Truth {
        &self.truth
    }

    fn run(&mut self, frame: &mut dyn FnMut(u64, &[u8])) {
        let span = Span::of(self.options);
        let (world, ..) = build(self.options, span, true);
        let fails = world.fails;
        let shape = world.shape.clone();
        let mut mirror = shape.map(|shape| Mirror::new(shape, self.options.seed, fails));
        Sim::new(world).run(span.end, &mut |time, bytes, _| {
            if time < span.seen {
                return;
            }
            match &mut mirror {
                Some(mirror) => mirror.pass(time, bytes, frame),
                None => frame(time, bytes),
            }
        });
    }
}
