//! The daemon: from the kernel to events, metrics and answers.
//!
//! One thread owns kernel side and pipeline ([`live`](crate::live)) and never waits for a client or a disk; one
//! writes events ([`sensor_output`]); the others serve the control socket and the metrics.

mod error;
mod reload;
mod service;
mod signals;

pub use error::DaemonError;
use signals::{Signals, until_stopped};

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use caps::Capability;
use sensor_analysis::{detect::clinical::Clinical, model::Models};
use sensor_evidence::store::{Store, StoreHandle};
use sensor_facts::{
    action::Action, clock, lock::lock, rights, rule::Actor, target::Target, time::Time,
};
use sensor_kernel::{Attached, Kernel};
use sensor_output::{Output, OutputStats};
use sensor_response::{ClinicalOf, Keeper, Mirrors};

use crate::{
    control::{Roles, orders, server, socket::ControlSocket, tell_roles},
    live::{
        self,
        capture::CaptureHandle,
        memory,
        options::DaemonOptions,
        responder::{Knowledge, Responder, ResponderHandle},
        snapshot::Snapshot,
    },
    metrics,
};

/// Between two times that the analysis is told the roles of devices.
const ROLES: Duration = Duration::from_mins(1);

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
        options.audit.clone(),
        loaded.take_rules()?,
        &options.response.protect(),
        clinical_of(Arc::clone(&clinical)),
    )?;
    keeper.beat(options.response.containment.heartbeat.into());
    // Before there are packets: a large model takes its time.
    let (models, knowledge, actions) = start_models(&options, clinical, keeper.time())?;
    let kernel = loaded.attach()?;
    // Threads that start from now on have no more than this.
    keep_rights(options.response_interface.is_some());
    keeper.started(
        options.config_hash.clone(),
        kernel.interfaces().iter().map(described).collect(),
        &adoption,
    );
    let changed = reload::at_start(&options);
    for action in changed.into_iter().chain(actions) {
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
        knowledge,
        options.response.clone(),
        sender,
        &options.state,
        kernel.interfaces().iter().any(|one| one.inline),
        mirrors,
    )
    .map_err(runtime("start the response"))?;
    let state = options.state.clone();
    let parts = live::capture::Parts {
        kernel,
        output,
        response: response.clone(),
        models: Arc::clone(&models),
        store: store.clone(),
    };
    let before = options.clone();
    let (capture, ended) =
        live::capture::start(options, parts).map_err(runtime("start the capture"))?;
    // Only those two threads need them.
    rights::drop_all();
    let control =
        tokio::net::UnixListener::from_std(control).map_err(runtime("serve the control socket"))?;
    let (asks, orders) = orders();
    tokio::spawn(server::serve(
        control,
        capture.clone(),
        response.clone(),
        Arc::clone(&models),
        roles,
        asks,
    ));
    if let Some(listener) = scrapes {
        tokio::spawn(metrics::serve(listener, capture.clone()));
    }
    tokio::spawn(keep_roles(capture.clone(), response.clone()));
    tokio::spawn(memory::keep(capture.clone(), state.clone()));
    tokio::spawn(memory::keep_mirror(capture.clone(), state.clone()));
    tokio::spawn(memory::hand_over(capture.clone(), store.clone()));
    let mut reloads = reload::Reloads::new(capture.clone(), response.clone(), models, &before);
    service::watchdog(response.alive().clone()).map_err(runtime("start the watchdog"))?;
    service::ready(&status);
    let mut ended = ended;
    let result = tokio::select! {
        result = &mut ended => result,
        () = until_stopped(signals, orders, &mut reloads, &status, reload) => {
            // Its last entries are events too.
            response.stop();
            let _ = tokio::task::spawn_blocking(|| response_thread.join()).await;
            memory::save(&capture, &state).await;
            memory::save_mirror(&capture, &state).await;
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

/// Tells the analysis the roles of devices from time to time, where something is about a role.
async fn keep_roles(capture: CaptureHandle, response: ResponderHandle) {
    loop {
        tell_roles(&capture, &response).await;
        tokio::time::sleep(ROLES).await;
    }
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

/// The models, what is known beside observations, and what the trail is to have of it.
type Started = (Arc<Models>, Knowledge, Vec<Action>);

fn start_models(
    options: &DaemonOptions,
    clinical: Arc<Mutex<Clinical>>,
    now: Time,
) -> Result<Started, DaemonError> {
    let (models, actions) = Models::start(options.model.clone(), &options.state, now);
    // Also where models are off: a reload may switch them on.
    let scorer = models.scorer().map_err(runtime("start the scoring"))?;
    let knowledge = Knowledge {
        clinical,
        scorer: Some(scorer),
        windows: models.window_slot(),
    };
    Ok((Arc::new(models), knowledge, actions))
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

/// Who tells a device's learnt clinical peers.
fn clinical_of(clinical: Arc<Mutex<Clinical>>) -> ClinicalOf {
    Box::new(move |target| {
        let (clinical, now) = (lock(&clinical), clock::now());
        match target {
            Target::Device { address } => clinical.peers_of(*address, now),
            Target::Mac { mac } => clinical.peers_of_mac(mac.octets(), now),
            _ => Vec::new(),
        }
    })
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
