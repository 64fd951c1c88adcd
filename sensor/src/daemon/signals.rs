//! The signals that the daemon knows, and the reloads that one of them and people ask for.

use std::io;

use sensor_facts::rule::Actor;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{reload::Reloads, service};
use crate::{control::ReloadOrder, live::options::DaemonOptions};

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

/// Waits for the signal to end, and reloads at `SIGHUP` and when a person asks for it.
pub(super) async fn until_stopped(
    mut signals: Signals,
    mut orders: mpsc::Receiver<ReloadOrder>,
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
                // The outcome is in the log and the trail.
                let _ = reloads.reload(&Actor::Signal, reload()).await;
                service::ready(status);
            }
            Some(order) = orders.recv() => {
                service::reloading();
                let changed = reloads.reload(&order.actor, reload()).await;
                service::ready(status);
                // Who asked may have gone.
                let _ = order.answer.send(changed);
            }
        }
    }
    service::stopping();
    tracing::info!("stopping: taking what is still in the kernel");
}
