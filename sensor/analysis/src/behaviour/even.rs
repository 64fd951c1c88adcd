//! Connections to the Internet that come at even intervals, as those of a program that asks its master for orders do.

use std::num::NonZeroUsize;

use crate::detect::counted::CountedLru;

/// Services outside that are watched, by who uses them.
const PAIRS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Intervals from this on count, nanoseconds: a page opens many connections at once.
const LEAST: i64 = 5_000_000_000;
/// Two intervals are even if they differ by at most this share of the longer one.
const TOLERANCE: i64 = 5;

#[derive(Clone, Copy, Default)]
struct Rhythm {
    last: i64,
    interval: i64,
    row: u64,
}

/// See the module's description.
pub(super) struct Even(CountedLru<u64, Rhythm>);

impl Default for Even {
    fn default() -> Self {
        Self(CountedLru::new(PAIRS))
    }
}

impl Even {
    /// Takes a connection of a pair, by its hash: how many even intervals there were in a row.
    pub(super) fn take(&mut self, pair: u64, time: i64) -> u64 {
        let rhythm = self.0.get_or_insert_mut(pair, || Rhythm {
            last: time,
            ..Rhythm::default()
        });
        let interval = time - rhythm.last;
        if interval < LEAST {
            return 0;
        }
        let longer = interval.max(rhythm.interval);
        let even = interval.abs_diff(rhythm.interval).cast_signed() <= longer / TOLERANCE;
        *rhythm = Rhythm {
            last: time,
            interval,
            row: if even { rhythm.row + 1 } else { 0 },
        };
        rhythm.row
    }

    pub(super) fn evicted(&self) -> u64 {
        self.0.evicted()
    }
}
