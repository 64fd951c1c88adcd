//! What a device does in the window that goes on.

use std::collections::HashSet;

use super::measure::{MEASURES, Measure};

/// Different things of a kind that a window counts; more are not told apart.
const DIFFERENT: usize = 1_024;

/// Things that are counted once in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Server(u64),
    Port(u16),
    Title(u64),
    Client(u64),
    Asked(u64),
    /// Something new, by its hash: of how many kinds of news it is.
    New(u64),
}

/// The values of a window.
#[derive(Clone, Debug)]
pub(super) struct Values {
    values: [u64; MEASURES],
    things: HashSet<Thing>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            values: [0; MEASURES],
            things: HashSet::new(),
        }
    }
}

impl Values {
    pub(super) fn add(&mut self, measure: Measure, amount: u64) {
        let value = &mut self.values[measure as usize];
        *value = value.saturating_add(amount);
    }

    pub(super) fn at_least(&mut self, measure: Measure, amount: u64) {
        let value = &mut self.values[measure as usize];
        *value = (*value).max(amount);
    }

    /// Counts a thing if the window has not seen it.
    pub(super) fn once(&mut self, thing: Thing, measure: Measure) {
        if self.things.len() < DIFFERENT && self.things.insert(thing) {
            self.add(measure, 1);
        }
    }

    pub(super) fn get(&self, measure: Measure) -> u64 {
        self.values[measure as usize]
    }

    /// The measures that are not zero.
    pub(super) fn active(&self) -> impl Iterator<Item = (Measure, u64)> {
        Measure::ALL
            .into_iter()
            .map(|measure| (measure, self.get(measure)))
            .filter(|(_, value)| *value > 0)
    }
}
