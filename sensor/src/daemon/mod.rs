//! The daemon: from the kernel to events, metrics and answers.
//!
//! One thread owns kernel side and pipeline ([`live`](crate::live)) and never waits for a client or a disk; one
//! writes events ([`sensor_output`]); the others serve the control socket and the metrics.

mod service;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use caps::Capability;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    control::{
        Roles, server,
        socket::{ControlSocket, SocketError},
    },
    live,
    live::{
        capture::CaptureHandle,
        memory,
        options::DaemonOptions,
        responder::{Knowledge, Responder, ResponderHandle, ResponderOptions},
        snapshot::Snapshot,
    },
    metrics,
};
use sensor_analysis::{
    detect::clinical::Clinical,
    model::{Models, Scorer},
};
use sensor_evidence::store::{Store, StoreHandle};
use sensor_facts::{
    action::Action, clock, lock::lock, rights, rule::Actor, target::Target, time::Time,
};
use sensor_kernel::{Attached, Kernel, KernelError};
use sensor_output::{Output, OutputError, OutputStats};
use sensor_response::{AdoptError, ClinicalOf, Keeper, resets::Mirrors};

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

fn runtime(what: &'static str) -> impl FnOnce(io::Error) -> DaemonError {
    move |source| DaemonError::Runtime { what, source }
}

/// Runs until `SIGINT` or `SIGTERM`. At `SIGHUP` options are taken from `reload`, whose error leaves the
/// old ones in force, and the output is opened anew.
///
/// # Errors
/// [`DaemonError`] when it can't start, or when the capture ended by itself.
pub fn run(
    options: DaemonOptions,
    reload: impl FnMut() -> Result<DaemonOptions, String>,
) -> Result<(), DaemonError> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("serve")
        .on_thread_start(rights::drop_all)
        .enable_all()
        .build()
        .map_err(runtime("start the runtime"))?;
    let result = tokio.block_on(serve(options, reload));
    // A client that reads nothing must not hold the end up.
    tokio.shutdown_background();
    result
}

async fn serve(
    options: DaemonOptions,
    reload: impl FnMut() -> Result<DaemonOptions, String>,
) -> Result<(), DaemonError> {
    let signals = Signals::new().map_err(runtime("wait for signals"))?;
    let (socket, control) = ControlSocket::take(&options.socket, &options.socket_group)?;
    let mut output = Output::start(&options.output)?;
    let store = start_store(&options, &mut output)?;
    let scrapes = scrapes(options.metrics).await?;
    options.check_response()?;
    let mut loaded = Kernel::prepare(&options.kernel)?;
    let after = options.response.containment.clinical_after.as_nanos();
    let clinical = Arc::new(Mutex::new(Clinical::open(&options.state, after)));
    // What is to be in force is so before the first packet meets the new programs.
    let (mut keeper, adoption) = Keeper::adopt(
        &options.state,
        loaded.take_rules()?,
        &options.response.protect(),
        clinical_of(Arc::clone(&clinical)),
    )?;
    keeper.beat(options.response.containment.heartbeat.into());
    // Before there are packets: a large model takes its time.
    let (models, scorer, actions) = start_models(&options, keeper.time())?;
    let kernel = loaded.attach()?;
    // Threads that start from now on have no more than this.
    keep_rights(options.response_interface.is_some());
    keeper.started(
        options.config_hash.clone(),
        kernel.interfaces().iter().map(described).collect(),
        &adoption,
    );
    for action in actions {
        keeper.record(&Actor::Daemon, action);
    }
    tell_start(kernel.interfaces());
    let status = listening(kernel.interfaces());
    let mirrors = mirrors(kernel.interfaces(), options.response_interface.clone());
    let roles = Roles::of(kernel.interfaces().iter(), mirrors.responds());
    if let Some(warning) = roles.warning(None) {
        tracing::warn!("{warning}");
    }
    let sender = output.sender();
    let (response, response_thread) = Responder::start(
        keeper,
        Knowledge { clinical, scorer },
        options.response.clone(),
        sender,
        &options.state,
        kernel.interfaces().iter().any(|one| one.inline),
        mirrors,
    )
    .map_err(runtime("start the response"))?;
    let state = options.state.clone();
    let (capture, ended) = live::capture::start(
        options,
        kernel,
        output,
        response.clone(),
        Arc::clone(&models),
        store.clone(),
    )
    .map_err(runtime("start the capture"))?;
    // Only those two threads need them.
    rights::drop_all();
    let control =
        tokio::net::UnixListener::from_std(control).map_err(runtime("serve the control socket"))?;
    tokio::spawn(server::serve(
        control,
        capture.clone(),
        response.clone(),
        models,
        roles,
    ));
    if let Some(listener) = scrapes {
        tokio::spawn(metrics::serve(listener, capture.clone()));
    }
    tokio::spawn(memory::keep(capture.clone(), state.clone()));
    tokio::spawn(memory::hand_over(capture.clone(), store.clone()));
    tokio::spawn(service::watchdog(capture.clone(), response.clone()));
    service::ready(&status);
    let mut ended = ended;
    let result = tokio::select! {
        result = &mut ended => result,
        () = until_stopped(signals, &capture, &response, &status, reload) => {
            // Its last entries are events too.
            response.stop();
            let _ = tokio::task::spawn_blocking(|| response_thread.join()).await;
            memory::save(&capture, &state).await;
            memory::give(&capture, store.as_ref()).await;
            capture.stop().await;
            ended.await
        }
    };
    drop(socket);
    let (snapshot, outputs) = result.map_err(|_| DaemonError::CaptureGone)??;
    tell_end(&snapshot, &outputs);
    Ok(())
}

/// Adds the store to the outputs, if there is to be one. What is wrong with it holds nothing up.
fn start_store(
    options: &DaemonOptions,
    output: &mut Output,
) -> Result<Option<StoreHandle>, DaemonError> {
    let Some(options) = &options.store else {
        return Ok(None);
    };
    let (lane, store) = Store::lane(options.clone()).map_err(runtime("start the store"))?;
    output.add(lane);
    Ok(Some(store))
}

/// Where metrics are asked for.
async fn scrapes(
    address: Option<SocketAddr>,
) -> Result<Option<tokio::net::TcpListener>, DaemonError> {
    let Some(address) = address else {
        return Ok(None);
    };
    tokio::net::TcpListener::bind(address)
        .await
        .map(Some)
        .map_err(|source| DaemonError::Metrics { address, source })
}

/// The models, what scores by the one in use, and what the trail is to have of it.
type Started = (Arc<Models>, Option<Scorer>, Vec<Action>);

fn start_models(options: &DaemonOptions, now: Time) -> Result<Started, DaemonError> {
    let (models, actions) = Models::start(options.model.clone(), &options.state, now);
    let scorer = options.model.enabled.then(|| models.scorer()).transpose();
    let scorer = scorer.map_err(runtime("start the scoring"))?;
    Ok((Arc::new(models), scorer, actions))
}

impl DaemonOptions {
    /// The interface that resets leave by has to be there.
    fn check_response(&self) -> Result<(), DaemonError> {
        let Some(name) = &self.response_interface else {
            return Ok(());
        };
        nix::net::if_::if_nametoindex(name.as_str())
            .map(|_| ())
            .map_err(|error| DaemonError::Response {
                name: name.clone(),
                source: error.into(),
            })
    }
}

/// The signals that the daemon knows.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

async fn until_stopped(
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

/// Who tells a device's learnt clinical peers.
fn clinical_of(clinical: Arc<Mutex<Clinical>>) -> ClinicalOf {
    Box::new(move |target| match target {
        Target::Device { address } => {
            let now = clock::now();
            let clinical = lock(&clinical);
            clinical.peers_of(*address, now)
        }
        _ => Vec::new(),
    })
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

/// An interface as the trail has it.
fn described(interface: &Attached) -> String {
    format!(
        "{} ({}, {} mode)",
        interface.name,
        interface.role(),
        interface.mode.label()
    )
}

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

/// What is left of this thread's rights: to read and write maps, and to send resets.
fn keep_rights(resets: bool) {
    let mut wanted = vec![Capability::CAP_BPF];
    if resets {
        wanted.push(Capability::CAP_NET_RAW);
    }
    if let Err(error) = rights::keep(&wanted) {
        tracing::warn!("the daemon keeps rights that it does not need: {error}");
    }
}

/// Where copies come from and resets go to.
fn mirrors(interfaces: &[Attached], response: Option<String>) -> Mirrors {
    let mirrors = interfaces.iter().filter(|one| !one.inline);
    Mirrors {
        mirrors: mirrors.map(|one| one.name.clone()).collect(),
        response,
    }
}

/// What the service manager shows.
fn listening(interfaces: &[Attached]) -> String {
    let names: Vec<_> = interfaces.iter().map(|one| one.name.as_str()).collect();
    format!("listening on {}", names.join(", "))
}

fn tell_start(interfaces: &[Attached]) {
    for interface in interfaces {
        tracing::info!(
            interface = interface.name,
            role = interface.role(),
            mode = interface.mode.label(),
            frags = interface.frags,
            "listening"
        );
    }
}

fn tell_end(snapshot: &Snapshot, outputs: &[OutputStats]) {
    let ring = snapshot.ring();
    tracing::info!(
        ring_offered = ring.offered,
        ring_received = ring.received,
        ring_lost = ring.lost,
        flows_evicted = snapshot.flows.evicted,
        events = outputs.iter().map(|one| one.events).sum::<u64>(),
        dropped = outputs.iter().map(OutputStats::dropped).sum::<u64>(),
        "stopped"
    );
}
