//! A hospital of a few hundred devices, two weeks of it, made anew from a seed.

pub(crate) mod association;
mod change;
pub(crate) mod datagram;
mod imaging;
pub(crate) mod messages;
mod network;
mod office;
mod rhythm;
mod sim;
pub(crate) mod site;
pub(crate) mod talk;
#[cfg(test)]
mod tests;
mod ward;
pub(crate) mod world;

use std::net::IpAddr;

use self::{
    sim::Sim,
    site::Site,
    world::{Id, World},
};
use crate::{
    attack::Scenario,
    traffic::Traffic,
    truth::{Episode, Truth},
    wire::burst::DAY,
};
use sensor_facts::time::Time;

/// A Monday: 2026-03-02, midnight.
const BEGIN: u64 = 1_772_409_600 * 1_000_000_000;

/// What the hospital is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            days: 14,
            devices: 240,
            attacks: true,
            poisoned: false,
        }
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
                    let address = IpAddr::V4(world.address(*host, time));
                    if !all.contains(&address) {
                        all.push(address);
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
                let (first, last) = seen.unwrap_or((staged.begin, staged.begin));
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
                begin: at(span.begin),
                end: at(span.end),
                counts_from: at(span.half),
            },
        }
    }
}

fn at(time: u64) -> Time {
    Time(time.cast_signed())
}

#[derive(Clone, Copy)]
struct Span {
    begin: u64,
    half: u64,
    end: u64,
}

impl Span {
    fn of(options: Options) -> Self {
        let days = options.days.max(2);
        Self {
            begin: BEGIN,
            half: BEGIN + days.div_ceil(2) * DAY,
            end: BEGIN + days * DAY,
        }
    }
}

/// The world with its attacks, and, if it is to live, all else. The last number is that of the devices.
fn build(options: Options, span: Span, live: bool) -> (World, Scenario, usize) {
    let Span { begin, half, end } = span;
    let mut world = World::new(options.seed);
    let site = Site::build(&mut world, options.devices.clamp(40, 400));
    let arrivals = change::arrive(&mut world, &site, begin, half);
    let plan = (options.attacks, options.poisoned);
    let scenario = Scenario::stage(&mut world, &site, (begin, half, end), plan);
    if live {
        imaging::live(&mut world, &site, begin);
        messages::live(&mut world, &site, begin);
        office::live(&mut world, &site, begin);
        ward::live(&mut world, &site, begin);
        network::live(&mut world, &site, begin);
        change::live(&mut world, &site, &arrivals, (half, end));
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
        Sim::new(world).run(span.end, &mut |time, bytes, _| frame(time, bytes));
    }
}
