//! What a hospital is like, drawn by its seed from wide ranges: so that nothing can be tuned to one shape.

use super::world::name_hash;
use crate::wire::{burst::MINUTE, dice::Dice};

/// See the module's description.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    seed: u64,
    /// Devices, about.
    pub(super) devices: usize,
    /// How much later or earlier than elsewhere the day begins; up to four hours.
    shift: u64,
    /// How far habits differ: a factor of two for 1.0.
    habits: f64,
    /// The share of frames that the mirror loses.
    pub(super) loss: f64,
    /// Subnets are VLANs, and frames say so.
    pub(super) tagged: bool,
    /// Workstations and servers talk by IPv6.
    pub(super) v6: bool,
    /// Guests share an address.
    pub(super) shared: bool,
    /// How many of 100 workstations get another address on some day.
    pub(super) churn: usize,
}

impl Shape {
    /// The shape of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut d = Dice::new(seed, name_hash("shape"));
        Self {
            seed,
            devices: d.index(300) + 80,
            shift: d.below(8) * 30 * MINUTE,
            habits: d.unit() * 1.2,
            loss: [0.0, 0.0005, 0.004, 0.02][d.index(4)],
            tagged: d.chance(0.5),
            v6: d.chance(0.5),
            shared: d.chance(0.5),
            churn: d.index(60),
        }
    }

    /// The time between events of a routine here, by its name: habits of a house, the same for all of its devices.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time, and a factor of about two"
    )]
    pub(super) fn pace(&self, name: &str, mean: u64) -> u64 {
        let mut d = Dice::new(self.seed, name_hash(name));
        (mean as f64 * (2.0_f64).powf((d.unit() * 2.0 - 1.0) * self.habits)) as u64
    }

    /// How much earlier the day's work begins here.
    pub(super) const fn shift(&self) -> u64 {
        self.shift
    }

    /// In words, for tables.
    pub(crate) fn words(&self) -> String {
        let mut words = vec![
            format!("about {} devices", self.devices),
            format!("day {} min earlier", self.shift / MINUTE),
            format!("habits by factors up to {:.1}", 2.0_f64.powf(self.habits)),
            format!("{} % of workstations renumbered", self.churn),
        ];
        let mut add = |is: bool, word: &str| words.extend(is.then(|| word.to_owned()));
        add(self.tagged, "VLANs");
        add(self.v6, "IPv6");
        add(self.shared, "guests behind one address");
        if self.loss > 0.0 {
            words.push(format!("{} % of frames lost", self.loss * 100.0));
        }
        words.join(", ")
    }
}
