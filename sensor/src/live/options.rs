//! The options that the daemon is started with, and those that can change while it runs.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use sensor_evidence::{audit::TrailOptions, store::StoreOptions};
use sensor_kernel as kernel;
use sensor_output::OutputOptions;
use sensor_sessions::pipeline::PipelineOptions;

use crate::{config, live::responder::ResponderOptions};

/// What the daemon is started with.
#[derive(Clone, Debug)]
pub struct DaemonOptions {
    /// Interfaces, tables, ring buffer, clock, idle times.
    pub kernel: kernel::Options,
    /// Time base and interface names are set by the daemon.
    pub pipeline: PipelineOptions,
    /// The control socket.
    pub socket: PathBuf,
    /// Group that may use it.
    pub socket_group: String,
    /// Where metrics are served; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where events go.
    pub output: OutputOptions,
    /// Between two `stats` events.
    pub stats_interval: Duration,
    /// The store of events, if there is to be one.
    pub store: Option<StoreOptions>,
    /// The folder of what outlives the daemon.
    pub state: PathBuf,
    /// The audit trail.
    pub audit: TrailOptions,
    /// How rules are kept.
    pub response: ResponderOptions,
    /// The interface that TCP resets leave by.
    pub response_interface: Option<String>,
    /// When something is wrong with what an interface brings.
    pub mirror: config::Mirror,
    /// The anomaly model.
    pub model: config::Model,
    /// All keys of the configuration.
    pub settings: config::KeyValues,
    /// BLAKE3 of the configuration, in hex.
    pub config_hash: String,
}

impl DaemonOptions {
    /// Keys of the configuration whose values differ in `new` and take a restart.
    #[must_use]
    pub fn restart_needed(&self, new: &Self) -> Vec<&'static str> {
        let (a, b) = (&self.kernel, &new.kernel);
        let (p, q) = (&self.pipeline, &new.pipeline);
        [
            ("interface", a.interfaces != b.interfaces),
            (
                "flow.established",
                a.tables.established4 != b.tables.established4,
            ),
            (
                "flow.established_ipv6",
                a.tables.established6 != b.tables.established6,
            ),
            ("flow.fresh", a.tables.fresh4 != b.tables.fresh4),
            ("flow.fresh_ipv6", a.tables.fresh6 != b.tables.fresh6),
            ("ring.size", a.ring_bytes != b.ring_bytes),
            ("clock.source", a.clock != b.clock),
            (
                "protocol.dicom_tls_ports",
                p.dicom_tls_ports != q.dicom_tls_ports,
            ),
            ("protocol.hl7_tls_ports", p.hl7_tls_ports != q.hl7_tls_ports),
            ("metrics", self.metrics != new.metrics),
            ("control.socket", self.socket != new.socket),
            ("control.group", self.socket_group != new.socket_group),
            (
                "response.interface",
                self.response_interface != new.response_interface,
            ),
            ("model.runtime", self.model.runtime != new.model.runtime),
            ("store", self.store != new.store),
            ("audit", self.audit != new.audit),
            ("state.directory", self.state != new.state),
            ("state.pins", a.pin_root != b.pin_root),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .chain(self.output.restart_needed(&new.output))
        .collect()
    }

    /// Takes over what can change at run time.
    pub(crate) fn adopt(&mut self, new: &Self) {
        self.kernel.settings = new.kernel.settings;
        self.kernel.active = new.kernel.active;
        self.output.adopt(&new.output);
        self.stats_interval = new.stats_interval;
        self.response = new.response.clone();
        let runtime = self.model.runtime.clone();
        self.model = config::Model {
            runtime,
            ..new.model.clone()
        };
        self.mirror = new.mirror;
        self.config_hash.clone_from(&new.config_hash);
    }
}
