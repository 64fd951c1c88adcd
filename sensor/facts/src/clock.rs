//! The kernel's monotonic clock and how it stands to the wall clock.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::time::{Time, Timebase};

/// A change of the offset by more than this is worth a line in the log.
const STEP: Duration = Duration::from_secs(1);

/// Nanoseconds of the clock that the kernel programs read (`bpf_ktime_get_ns`).
#[must_use]
pub fn monotonic() -> u64 {
    u64::try_from(read(ClockId::CLOCK_MONOTONIC)).unwrap_or(0)
}

/// How it stands to the wall clock now.
#[must_use]
pub fn timebase() -> Timebase {
    let before = read(ClockId::CLOCK_MONOTONIC);
    let wall = read(ClockId::CLOCK_REALTIME);
    let after = read(ClockId::CLOCK_MONOTONIC);
    Timebase {
        unix_offset_ns: wall - before.midpoint(after),
    }
}

/// The wall clock.
#[must_use]
pub fn now() -> Time {
    timebase().wall(monotonic())
}

/// Tells of a wall clock that was set.
pub fn tell_step(old: Timebase, new: Timebase) {
    let by = Duration::from_nanos(old.unix_offset_ns.abs_diff(new.unix_offset_ns));
    if by > STEP {
        let way = if new.unix_offset_ns > old.unix_offset_ns {
            "forward"
        } else {
            "back"
        };
        tracing::warn!("the wall clock was set {way} by {by:?}; events follow it");
    }
}

fn read(clock: ClockId) -> i64 {
    // These clocks exist on every Linux, so reading them can't fail.
    clock_gettime(clock).map_or(0, |time| {
        time.tv_sec()
            .saturating_mul(1_000_000_000)
            .saturating_add(time.tv_nsec())
    })
}
