//! Why the daemon does not run.

use std::{io, net::SocketAddr};

use sensor_kernel::KernelError;
use sensor_output::OutputError;
use sensor_response::AdoptError;

use crate::control::socket::SocketError;

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The kernel side.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The audit trail and the rules.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The interface that resets would leave by.
    #[error(
        "can't send resets through {name:?}: {source}; name another interface in the configuration, response.interface"
    )]
    Response {
        /// Its name.
        name: String,
        /// The answer.
        source: io::Error,
    },
    /// The control socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The events' output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The address for metrics.
    #[error(
        "can't serve metrics at {address}: {source}; name another address in the configuration, or switch metrics off"
    )]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A call of the runtime.
    #[error("can't {what}: {source}")]
    Runtime {
        /// What was tried.
        what: &'static str,
        /// The answer.
        source: io::Error,
    },
    /// The capture thread ended by itself.
    #[error("the capture thread is gone; this is a bug: the log has its last words")]
    CaptureGone,
}
