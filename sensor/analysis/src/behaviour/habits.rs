//! What kind of device one is, by what it does again and again.

use super::{history::History, measure::Measure};

/// What makes a kind.
const HABITS: [Measure; 10] = [
    Measure::Stores,
    Measure::Finds,
    Measure::Gets,
    Measure::Moves,
    Measure::ServedAssociations,
    Measure::Messages,
    Measure::Acks,
    Measure::Served,
    Measure::OutsideFlows,
    Measure::Admin,
];
/// Windows from which on a device has habits: most of a day.
const ENOUGH: u32 = 200;
/// The share of windows in which a habit shows.
const SHARE: f64 = 0.02;

/// A kind of devices: the set of its habits.
pub(super) type Kind = u16;

/// The kind of a device; `None` while it is not known for long enough.
pub(super) fn kind(history: &History) -> Option<Kind> {
    let windows = history.windows();
    if windows < ENOUGH {
        return None;
    }
    let least = f64::from(windows) * SHARE;
    let shows = |measure: &Measure| f64::from(history.at_least(*measure, 1)) >= least;
    let bits = HABITS.iter().enumerate();
    Some(bits.fold(0, |kind, (bit, habit)| {
        kind | Kind::from(shows(habit)) << bit
    }))
}
