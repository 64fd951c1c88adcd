//! The longest pause of the last hours: how quiet something is at times.

/// Nanoseconds after which a new longest pause is looked for; the one before counts for as long again. A backup of some hours,
/// in which there is no pause, does not make forget how quiet an evening is.
const TURN: u64 = 6 * 3_600_000_000_000;
/// What is silent for so many times its longest pause is not just quiet.
const TIMES: u64 = 4;

/// The longest pauses of these hours and of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pauses {
    longest: [u64; 2],
    turned: u64,
}

impl Pauses {
    /// Takes a pause that was over at `now`.
    pub(super) fn note(&mut self, now: u64, pause: u64) {
        if now.saturating_sub(self.turned) > TURN {
            self.longest = [0, self.longest[0]];
            self.turned = now;
        }
        self.longest[0] = self.longest[0].max(pause);
    }

    /// The longest, nanoseconds.
    pub(super) fn longest(&self) -> u64 {
        self.longest[0].max(self.longest[1])
    }

    /// From how long a silence on something is wrong; at least `least` nanoseconds.
    pub(super) fn limit(&self, least: u64) -> u64 {
        least.max(self.longest().saturating_mul(TIMES))
    }
}
