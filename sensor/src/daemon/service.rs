//! What the service manager is told (`sd_notify(3)`), where there is one.

use std::{io, thread, time::Duration};

use sd_notify::NotifyState;

use crate::live::alive::Alive;

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}

/// Tells the service manager that the daemon listens.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its configuration again; [`ready`] ends that.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// Tells the service manager that the daemon ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that it lives for as long as all of its threads go on, three times in the time after which the service manager
/// (`WatchdogSec=`) would start it anew. It has a thread of its own and asks nobody, so no queue can hold it up.
pub(super) fn watchdog(alive: Alive) -> io::Result<()> {
    let mut limit = 0;
    if !sd_notify::watchdog_enabled(false, &mut limit) {
        return Ok(());
    }
    let beat = Duration::from_micros(limit / 3);
    let watch = move || {
        sensor_facts::rights::drop_all();
        loop {
            match alive.silent(2 * beat) {
                None => tell(&[NotifyState::Watchdog]),
                Some(part) => tracing::error!(
                    "no sign of life for the service manager: the {} thread stands still",
                    part.label()
                ),
            }
            thread::sleep(beat);
        }
    };
    let watch = thread::Builder::new().name("watchdog".into()).spawn(watch);
    watch.map(|_| ())
}
