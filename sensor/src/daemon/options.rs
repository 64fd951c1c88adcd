//! What the daemon is started with, and what of it can change while it runs.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{kernel, output::Target, pipeline::PipelineOptions};

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
    pub output: Target,
    /// Events that may wait for the output.
    pub queue: usize,
    /// Between two `stats` events.
    pub stats_interval: Duration,
}

impl DaemonOptions {
    /// Names of the settings that differ in `new` and take a restart.
    #[must_use]
    pub fn restart_needed(&self, new: &Self) -> Vec<&'static str> {
        let (a, b) = (&self.kernel, &new.kernel);
        let pipeline = |options: &PipelineOptions| {
            (
                options.limits,
                options.flow_snapshots,
                options.dicom_tls_ports.clone(),
                options.hl7_tls_ports.clone(),
            )
        };
        [
            ("interface", a.interfaces != b.interfaces),
            ("tables", a.tables != b.tables),
            ("ring_bytes", a.ring_bytes != b.ring_bytes),
            ("clock", a.clock != b.clock),
            ("pin_root", a.pin_root != b.pin_root),
            (
                "pipeline",
                pipeline(&self.pipeline) != pipeline(&new.pipeline),
            ),
            ("socket", self.socket != new.socket),
            ("socket_group", self.socket_group != new.socket_group),
            ("metrics", self.metrics != new.metrics),
            ("queue", self.queue != new.queue),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Takes over what can change at run time.
    pub(super) fn adopt(&mut self, new: &Self) {
        self.kernel.settings = new.kernel.settings;
        self.kernel.active = new.kernel.active;
        self.output = new.output.clone();
        self.stats_interval = new.stats_interval;
    }
}
