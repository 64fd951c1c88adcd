//! The signals that the daemon knows, and the reload that one of them asks for.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::service;
use crate::live::{
    capture::CaptureHandle,
    options::DaemonOptions,
    responder::{ResponderHandle, ResponderOptions},
};

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
    capture: &CaptureHandle,
    response: &ResponderHandle,
    status: &str,
    mut reload: impl FnMut() -> Result<DaemonOptions, String>,
) {
    loop {
        tokio::select! {
            _ = signals.interrupt.recv() => break,
            _ = signals.terminate.recv() => break,
            _ = signals.hangup.recv() => {
                service::reloading();
                let options = reload();
                if let Ok(options) = &options {
                    protect(response, options.response.clone()).await;
                }
                take_over(capture, options).await;
                service::ready(status);
            }
        }
    }
    service::stopping();
    tracing::info!("stopping: taking what is still in the kernel");
}

/// Puts what the configuration protects on the never-block list.
async fn protect(response: &ResponderHandle, options: ResponderOptions) {
    let answer = response.ask(|responder| responder.reload(options)).await;
    let failed = match answer {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::error!("the never-block list stays as it was: {failed}");
}

/// Puts reloaded options in force, or says why the old ones stay.
async fn take_over(capture: &CaptureHandle, options: Result<DaemonOptions, String>) {
    let answer = match options {
        Ok(options) => capture.ask(move |capture| capture.reload(&options)).await,
        Err(error) => {
            tracing::error!("the configuration is bad, the old one stays in force: {error}");
            // The log may have been rotated all the same.
            capture
                .ask(|capture| {
                    let old = capture.options().clone();
                    capture.reload(&old)
                })
                .await
        }
    };
    match answer {
        Ok(restart) if restart.is_empty() => tracing::info!("reloaded"),
        Ok(restart) => tracing::warn!(
            "reloaded; changes of these take a restart: {}",
            restart.join(", ")
        ),
        Err(error) => tracing::error!("not reloaded: {error}"),
    }
}
