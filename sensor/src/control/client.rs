//! The client of the control socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
    http::request::Builder,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, time::timeout};

use super::api::Failure;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a report may take, for which a whole trail is verified.
const PATIENCE_REPORT: Duration = Duration::from_mins(5);
/// Longest answer that is read, bytes.
const ANSWER_MAX: usize = 64 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No daemon listens.
    #[error(
        "no wardtap daemon listens at {path}: start it with `wardtap run` or `systemctl start wardtap`, or name its socket with --socket"
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The user may not use the socket.
    #[error(
        "not permitted to use {path}: be root or a member of the group it belongs to (wardtap)"
    )]
    NotPermitted {
        /// The socket.
        path: PathBuf,
    },
    /// The daemon does not answer in time.
    #[error("the daemon at {path} does not answer within {} seconds", .patience.as_secs())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// How long it had.
        patience: Duration,
    },
    /// The daemon says what is wrong.
    #[error("the daemon refuses: {0}")]
    Refused(String),
    /// The answer is no answer of a daemon.
    #[error("what listens at {path} gives no answer of this version's daemon: {why}")]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Asks the daemon at `socket` for `target`, a path with its query.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn get<T: DeserializeOwned>(socket: &Path, target: &str) -> Result<T, ClientError> {
    send(socket, Request::get(target), Bytes::new(), PATIENCE)
}

/// The same for what takes longer: a report.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn get_report<T: DeserializeOwned>(socket: &Path, target: &str) -> Result<T, ClientError> {
    let request = Request::get(target);
    send(socket, request, Bytes::new(), PATIENCE_REPORT)
}

/// Has the daemon at `socket` do what `body` says.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn post<B: Serialize, T: DeserializeOwned>(
    socket: &Path,
    target: &str,
    body: &B,
) -> Result<T, ClientError> {
    let body = serde_json::to_vec(body).map_err(|error| ClientError::NoAnswer {
        path: socket.to_owned(),
        why: error.to_string(),
    })?;
    let request = Request::post(target).header(CONTENT_TYPE, "application/json");
    send(socket, request, body.into(), PATIENCE)
}

fn send<T: DeserializeOwned>(
    socket: &Path,
    request: Builder,
    body: Bytes,
    patience: Duration,
) -> Result<T, ClientError> {
    let no_answer = |why: String| ClientError::NoAnswer {
        path: socket.to_owned(),
        why,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| no_answer(error.to_string()))?;
    let (ok, body) = runtime
        .block_on(async { timeout(patience, ask(socket, request, body)).await })
        .map_err(|_| ClientError::Silent {
            path: socket.to_owned(),
            patience,
        })??;
    if !ok {
        let said = serde_json::from_slice::<Failure>(&body).map(|failure| failure.error);
        return Err(ClientError::Refused(
            said.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned()),
        ));
    }
    serde_json::from_slice(&body).map_err(|error| no_answer(error.to_string()))
}

async fn ask(socket: &Path, request: Builder, body: Bytes) -> Result<(bool, Bytes), ClientError> {
    let path = || socket.to_owned();
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => ClientError::NotPermitted { path: path() },
            _ => ClientError::NotRunning { path: path() },
        })?;
    let no_answer = |why: String| ClientError::NoAnswer { path: path(), why };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| no_answer(error.to_string()))?;
    // It ends with the runtime.
    tokio::spawn(connection);
    let request = request
        .header(HOST, "wardtap")
        .body(Full::new(body))
        .map_err(|error| no_answer(error.to_string()))?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| no_answer(error.to_string()))?;
    let ok = answer.status().is_success();
    let body = Limited::new(answer.into_body(), ANSWER_MAX)
        .collect()
        .await
        .map_err(|error| no_answer(error.to_string()))?;
    Ok((ok, body.to_bytes()))
}
