//! Signs of life of the daemon's threads, for the service manager's watchdog: read without asking any of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sensor_facts::clock;

/// When each thread last went on, nanoseconds of the monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Alive(Arc<[AtomicU64; Part::ALL.len()]>);

/// A thread that has to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Takes what the kernel sees.
    Capture,
    /// Decides about findings.
    Response,
    /// Does what operators ask for.
    Command,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Capture, Self::Response, Self::Command];

    /// In words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Response => "response",
            Self::Command => "command",
        }
    }
}

impl Alive {
    /// Says that a thread goes on.
    pub fn sign(&self, part: Part) {
        self.0[part as usize].store(clock::monotonic(), Ordering::Relaxed);
    }

    /// The first thread that gave no sign for so long.
    #[must_use]
    pub fn silent(&self, limit: Duration) -> Option<Part> {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let now = clock::monotonic();
        Part::ALL.into_iter().find(|part| {
            let last = self.0[*part as usize].load(Ordering::Relaxed);
            now.saturating_sub(last) > limit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_stands_still_is_named() {
        let alive = Alive::default();
        for part in Part::ALL {
            alive.sign(part);
        }
        let limit = Duration::from_millis(200);
        assert_eq!(alive.silent(limit), None);
        std::thread::sleep(2 * limit);
        alive.sign(Part::Capture);
        alive.sign(Part::Command);
        assert_eq!(alive.silent(limit), Some(Part::Response));
    }
}
