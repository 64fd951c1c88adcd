//! Sends frames into the sensor's second interface, at a pace, and keeps account.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{netns::Namespace, wire::Wire};

/// The flooder's end of the cable.
pub(super) const OUT: &str = "out0";
/// Frames between two looks at the clock: fewer than a virtual cable holds (256).
const BURST: u64 = 100;

/// The host that sends floods.
pub(super) struct Spray {
    wire: Wire,
    /// Frames that were given to the interface, taken or not.
    pub(super) tried: u64,
    /// Of these, refused at once.
    pub(super) refused: u64,
}

/// Frames a second.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// As many as it can.
    Full,
    /// This many frames a second.
    Of(u64),
}

impl Spray {
    pub(super) fn open(outside: &Namespace) -> Result<Self> {
        Ok(Self {
            wire: Wire::open(outside, OUT)?,
            tried: 0,
            refused: 0,
        })
    }

    /// Sends into a new interface of the name from now on.
    pub(super) fn reopen(&mut self, outside: &Namespace) -> Result<()> {
        self.wire = Wire::open(outside, OUT)?;
        Ok(())
    }

    /// Sends one frame. That the interface does not take it is no error, and counted.
    pub(super) fn send(&mut self, frame: &[u8]) {
        self.tried += 1;
        if self.wire.send(frame).is_err() {
            self.refused += 1;
        }
    }

    /// Sends what `next` makes, for some time.
    pub(super) fn during(
        &mut self,
        time: Duration,
        pace: Pace,
        mut next: impl FnMut(&mut Self, u64) -> Result<()>,
    ) -> Result<u64> {
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < time {
            for _ in 0..BURST {
                next(self, count)?;
                count += 1;
            }
            wait(start, count, pace);
        }
        Ok(count)
    }

    /// Sends what `next` makes, so many times.
    pub(super) fn times(
        &mut self,
        count: u64,
        pace: Pace,
        mut next: impl FnMut(&mut Self, u64) -> Result<()>,
    ) -> Result<()> {
        let start = Instant::now();
        for number in 0..count {
            next(self, number)?;
            if number % BURST == BURST - 1 {
                wait(start, number, pace);
            }
        }
        Ok(())
    }
}

/// Until `count` are due.
fn wait(start: Instant, count: u64, pace: Pace) {
    let Pace::Of(rate) = pace else {
        return;
    };
    let due = Duration::from_micros(count.saturating_mul(1_000_000) / rate.max(1));
    thread::sleep(due.saturating_sub(start.elapsed()));
}
