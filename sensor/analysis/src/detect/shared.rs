//! Thresholds that several detectors share.

use super::threshold::thresholds;

thresholds! {
    /// The long time: what is spread so that it does not show in the shorter times of scans, sweeps, guesses and
    /// spreading is looked for in this time too.
    slow_within: seconds = 6 * 3_600, 1..=7 * 86_400;
    /// An amount is unusual when it is at least this many spreads above its median. An amount that is also large by
    /// itself needs half as many.
    unusual: number = 6.0, 0.5..=1_000.0;
    /// The same finding about the same device is reported again after this time at the earliest.
    report_again: seconds = 3_600, 60..=30 * 86_400;
    /// An Ethernet address by which whole conversations of this many IPv4 addresses of several subnets went for two minutes,
    /// none of which it claims itself, is taken for a router; four times as many of one subnet, or of IPv6.
    router_addresses: count = 4, 2..=64;
}

impl Thresholds {
    /// Spreads above the median from which on an amount that is large by itself is far from the usual, too.
    pub(super) fn far(&self) -> f64 {
        self.unusual / 2.0
    }
}
