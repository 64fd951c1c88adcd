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
    /// Always zero.
    pub pad: u32,
}

const SECOND: u64 = 1_000_000_000;

impl Settings {
    /// The defaults: 1 hour, 2 minutes, 10 seconds; no pressure.
    pub const DEFAULT: Self = Self {
        idle_tcp: 3_600 * SECOND,
        idle_other: 120 * SECOND,
        idle_closed: 10 * SECOND,
        test_time: 0,
        pressure: 0,
        pad: 0,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
