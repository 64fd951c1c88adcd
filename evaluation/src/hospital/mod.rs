//! A hospital of a few hundred devices, two weeks of it, made anew from a seed.

mod imaging;
mod messages;
mod network;
mod office;
mod rhythm;
mod sim;
mod site;
mod talk;
mod ward;
mod world;

use self::{sim::Sim, site::Site, world::World};
use crate::{traffic::Traffic, truth::Truth, wire::burst::DAY};
use sensor::event::Time;

/// A Monday: 2026-03-02, midnight.
const BEGIN: u64 = 1_772_409_600 * 1_000_000_000;

/// Which hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// How long, at least 2.
    pub days: u64,
    /// How many devices, about; at least 40.
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

/// The hospital.
#[derive(Debug)]
pub struct Hospital {
    options: Options,
    truth: Truth,
}

impl Hospital {
    /// One that is as these say.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (_, site) = build(options);
        let at = |time: u64| Time(time.cast_signed());
        Self {
            options,
            truth: Truth {
                episodes: Vec::new(),
                devices: site.devices,
                begin: at(BEGIN),
                end: at(BEGIN + options.days * DAY),
                counts_from: at(BEGIN + options.days.div_ceil(2) * DAY),
            },
        }
    }
}

fn build(options: Options) -> (World, Site) {
    let mut world = World::new(options.seed, BEGIN);
    let site = Site::build(&mut world, options.devices);
    imaging::live(&mut world, &site, BEGIN);
    messages::live(&mut world, &site, BEGIN);
    office::live(&mut world, &site, BEGIN);
    ward::live(&mut world, &site, BEGIN);
    network::live(&mut world, &site, BEGIN);
    (world, site)
}

impl Traffic for Hospital {
    fn truth(&self) -> &Truth {
        &self.truth
    }

    fn run(&mut self, frame: &mut dyn FnMut(u64, &[u8])) {
        let (world, _) = build(self.options);
        let end = BEGIN + self.options.days * DAY;
        Sim::new(world).run(end, &mut |time, bytes, _| frame(time, bytes));
    }
}
