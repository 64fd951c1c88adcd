//! What the service manager is told (`sd_notify(3)`), where there is one.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::live::{capture::CaptureHandle, responder::ResponderHandle};

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}

/// It listens.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its configuration again; [`ready`] ends that.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// It ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that it lives for as long as both of its threads answer, three times in the time after which the service
/// manager (`WatchdogSec=`) would start it anew.
pub(super) async fn watchdog(capture: CaptureHandle, response: ResponderHandle) {
    let mut limit = 0;
    if !sd_notify::watchdog_enabled(false, &mut limit) {
        return;
    }
    let mut beat = tokio::time::interval(Duration::from_micros(limit / 3));
    loop {
        beat.tick().await;
        let (sees, acts) = tokio::join!(capture.ask(|_| ()), response.ask(|_| ()));
        match sees.and(acts) {
            Ok(()) => tell(&[NotifyState::Watchdog]),
            Err(error) => tracing::error!("no sign of life for the service manager: {error}"),
        }
    }
}
