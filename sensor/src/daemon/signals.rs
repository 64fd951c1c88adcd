//! The signals that the daemon knows, and the reload that one of them asks for.

use std::io;

use sensor_facts::rule::Actor;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{reload::Reloads, service};
use crate::live::options::DaemonOptions;

/// The signals that the daemon knows.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits for the signal to end, and reloads at `SIGHUP`.
pub(super) async fn until_stopped(
    mut signals: Signals,
    reloads: &mut Reloads,
    status: &str,
    mut reload: impl FnMut() -> Result<DaemonOptions, String>,
) {
    loop {
        tokio::select! {
            _ = signals.interrupt.recv() => break,
            _ = signals.terminate.recv() => break,
            _ = signals.hangup.recv() => {
                service::reloading();
                reloads.reload(&Actor::Signal, reload()).await;
                service::ready(status);
            }
        }
    }
    service::stopping();
    tracing::info!("stopping: taking what is still in the kernel");
}
