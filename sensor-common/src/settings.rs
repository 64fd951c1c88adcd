//! What the daemon sets in the engine.

/// Set once, when a program is loaded: constants to the verifier, so that what is off costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Clock {
    /// `bpf_ktime_get_boot_ns`/`ktime_get_ns`: nanoseconds, about 30 ns a call on a virtual machine.
    Precise = 0,
    /// `bpf_ktime_get_coarse_ns` (Linux 5.11): the last timer tick, 1 to 10 ms old, almost free.
    Coarse = 1,
    /// The time in [`Settings::test_time`]: a capture's clock, for tests.
    Set = 2,
}

/// What the daemon can change while the engine runs. One element, read on slow paths only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Settings {
    /// A flow with no packet for longer than this many nanoseconds is over. TCP that is open.
    pub idle_tcp: u64,
    /// The same for all but TCP.
    pub idle_other: u64,
    /// The same for TCP that was closed, or asked for and never answered.
    pub idle_closed: u64,
    /// The time for [`Clock::Set`], nanoseconds.
    pub test_time: u64,
    /// Not 0: only clinical flows (DICOM, HL7) may still enter the table of established flows.
    pub pressure: u32,
    /// Flows of a clinical protocol, of one direction and a few packets, that a CPU takes into the table of established
    /// flows in a second.
    pub unproven: u32,
}

const SECOND: u64 = 1_000_000_000;
/// [`Settings::unproven`] where there is room: more sessions a second than a CPU's share of a mirror of one direction begins.
const UNPROVEN: u32 = 256;
/// Under pressure one in so many of these.
const UNPROVEN_SHARE: u32 = 8;
/// The part of a table that is free when pressure begins, and the seconds in which it must not fill: two passes of the sweeper.
const FREE: (u64, u64) = (4, 6);

impl Settings {
    /// The defaults: 1 hour, 2 minutes, 10 seconds; no pressure, 256 unproven flows a second.
    pub const DEFAULT: Self = Self {
        idle_tcp: 3_600 * SECOND,
        idle_other: 120 * SECOND,
        idle_closed: 10 * SECOND,
        test_time: 0,
        pressure: 0,
        unproven: UNPROVEN,
    };
}

impl Settings {
    /// With the number of unproven flows that each of `cpus` may take in a second, so that a table of `places` does not fill
    /// before its pressure is noticed, and so that few are taken then.
    #[must_use]
    pub const fn with_room(mut self, places: u64, cpus: u64) -> Self {
        let cpus = if cpus == 0 { 1 } else { cpus };
        let most = places / FREE.0 / FREE.1 / cpus;
        self.unproven = if most < UNPROVEN as u64 {
            most as u32
        } else {
            UNPROVEN
        };
        if self.pressure != 0 {
            self.unproven /= UNPROVEN_SHARE;
        }
        if self.unproven == 0 {
            self.unproven = 1;
        }
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unproven_flows_fill_no_table_before_pressure_is_noticed() {
        let unproven = |pressure, places, cpus| {
            let settings = Settings {
                pressure,
                ..Settings::DEFAULT
            };
            settings.with_room(places, cpus).unproven
        };
        assert_eq!(unproven(0, 65_536, 2), 256);
        assert_eq!(unproven(1, 65_536, 2), 32);
        for cpus in [1, 2, 4, 16, 64, 128] {
            for places in [1_024, 16_384, 65_536] {
                let one = u64::from(unproven(0, places, cpus));
                assert!(one == 1 || one * cpus * 6 <= places / 4, "{places}, {cpus}");
                assert!(u64::from(unproven(1, places, cpus)) <= (one / 8).max(1));
            }
        }
        assert_eq!(unproven(0, 16_384, 16), 42);
        assert_eq!(unproven(1, 64, 0), 1);
    }
}
