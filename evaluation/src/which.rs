//! Which simulated hospital, on the command line.

use clap::Args;

use crate::{attack::Cases, hospital::Options};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct Which {
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long
    #[arg(long, default_value_t = 14)]
    days: u64,
    /// How many devices, about
    #[arg(long, default_value_t = 240)]
    devices: usize,
    /// No attacks, only change
    #[arg(long)]
    change_only: bool,
    /// An attack while the site is learnt
    #[arg(long)]
    poisoned: bool,
    /// Which attacks
    #[arg(long, value_enum, default_value_t = Cases::Usual)]
    cases: Cases,
    /// A sensor that is switched on when the attacks begin
    #[arg(long)]
    first_day: bool,
    /// Habits, network and size are drawn by the seed
    #[arg(long)]
    shaped: bool,
}

impl Which {
    pub(crate) fn options(&self) -> Options {
        Options {
            seed: self.seed,
            days: self.days,
            devices: self.devices,
            attacks: !self.change_only,
            poisoned: self.poisoned,
            cases: self.cases,
            first_day: self.first_day,
            shaped: self.shaped,
        }
    }
}
