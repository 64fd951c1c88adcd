//! The configuration file, TOML.
//!
//! Every value is checked while it is read, so that an error names file, line and key. What is not in the
//! file has its default.

mod default;
mod error;
mod locate;
#[cfg(test)]
mod output_tests;
mod values;

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub use default::default_text;
pub use error::{ConfigError, Mistake};
use values::entries;
pub use values::{ClockSource, ListenMode, LogFormat, LogLevel, Role};

pub use sensor_analysis::{
    config::{Alerting, Baseline, Model},
    detect::Detect,
};
use sensor_evidence::store::config::Store;
use sensor_facts::setting::{RingSize, Span};
use sensor_output::config::Output;
use sensor_response::config::Containment;

use sensor_common::settings::Settings;
use sensor_kernel::{InterfaceOptions, Mode, Options, PIN_ROOT, TableSizes};
use sensor_sessions::pipeline::PipelineOptions;

/// Where the configuration is, unless set.
pub const PATH: &str = "/etc/wardtap/wardtap.toml";
/// Where the control socket is, unless set.
pub const SOCKET: &str = "/run/wardtap/control.sock";

/// Where the daemon keeps what outlives it, unless set.
pub const STATE: &str = "/var/lib/wardtap";

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Interfaces to listen on.
    pub interface: Vec<Interface>,
    /// Flow tables and time-outs.
    pub flow: Flow,
    /// The ring buffer between kernel and daemon.
    pub ring: Ring,
    /// The clock of flows.
    pub clock: Clock,
    /// Hints for what can't be known by content.
    pub protocol: Protocol,
    /// What may be blocked, by whom, and for how long.
    pub containment: Containment,
    /// How the usual is learnt.
    pub baseline: Baseline,
    /// Thresholds of the detectors.
    pub detect: Detect,
    /// When a person is told, and how often.
    pub alert: Alerting,
    /// The anomaly model.
    pub model: Model,
    /// How mirror interfaces respond.
    pub response: Response,
    /// What the daemon keeps.
    pub state: State,
    /// What is kept for reports and people, and how long.
    pub store: Store,
    /// Where events go.
    pub output: Output,
    /// Prometheus metrics.
    pub metrics: Metrics,
    /// The socket of the command line.
    pub control: Control,
    /// The daemon's own log.
    pub log: Log,
}

/// An interface to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// How the program is attached.
    #[serde(default)]
    pub mode: ListenMode,
    /// What the interface is to the traffic.
    #[serde(default)]
    pub role: Role,
}

impl Interface {
    /// A mirror interface, attached as it can best be.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            mode: ListenMode::default(),
            role: Role::default(),
        }
    }
}

/// Flow tables and time-outs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// Established IPv4 flows, entries.
    #[serde(deserialize_with = "entries")]
    pub established: u32,
    /// Established IPv6 flows, entries.
    #[serde(deserialize_with = "entries")]
    pub established_ipv6: u32,
    /// New IPv4 flows, entries.
    #[serde(deserialize_with = "entries")]
    pub fresh: u32,
    /// New IPv6 flows, entries.
    #[serde(deserialize_with = "entries")]
    pub fresh_ipv6: u32,
    /// A TCP flow without a packet for longer is over.
    pub idle_tcp: Span,
    /// Any other flow without a packet for longer is over.
    pub idle_other: Span,
    /// A TCP flow that was closed, or never answered, leaves the table after this.
    pub idle_closed: Span,
    /// A flow that goes on is reported each time this has passed.
    pub active: Span,
}

impl Default for Flow {
    fn default() -> Self {
        let (sizes, settings) = (TableSizes::default(), Settings::DEFAULT);
        Self {
            established: sizes.established4,
            established_ipv6: sizes.established6,
            fresh: sizes.fresh4,
            fresh_ipv6: sizes.fresh6,
            idle_tcp: Span::from_nanos(settings.idle_tcp),
            idle_other: Span::from_nanos(settings.idle_other),
            idle_closed: Span::from_nanos(settings.idle_closed),
            active: Span::from_secs(300),
        }
    }
}

/// The ring buffer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ring {
    /// Its size, a power of two of bytes.
    pub size: RingSize,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            size: RingSize::mebibytes(8),
        }
    }
}

/// The clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// Which one.
    pub source: ClockSource,
}

/// Hints for what can't be known by content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protocol {
    /// Ports at which TLS likely carries DICOM.
    pub dicom_tls_ports: Vec<u16>,
    /// Ports at which TLS likely carries HL7.
    pub hl7_tls_ports: Vec<u16>,
}

impl Default for Protocol {
    fn default() -> Self {
        let options = PipelineOptions::default();
        Self {
            dicom_tls_ports: options.dicom_tls_ports,
            hl7_tls_ports: options.hl7_tls_ports,
        }
    }
}

/// How mirror interfaces respond: where copies are seen, nothing can be dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Response {
    /// The interface that TCP resets are sent through; without it none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// What the daemon keeps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// The folder of the audit trail and of what was learnt.
    pub directory: PathBuf,
    /// Where on the BPF file system programs and rules are pinned.
    pub pins: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        Self {
            directory: STATE.into(),
            pins: PIN_ROOT.into(),
        }
    }
}

/// Prometheus metrics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether they are served.
    pub enabled: bool,
    /// Where.
    pub listen: SocketAddr,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 9641)),
        }
    }
}

/// The control socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// Its path.
    pub socket: PathBuf,
    /// The group that may use it beside root.
    pub group: String,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            socket: SOCKET.into(),
            group: "wardtap".to_owned(),
        }
    }
}

/// The daemon's own log, on standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// From which level on.
    pub level: LogLevel,
    /// Lines for people, or JSON.
    pub format: LogFormat,
}

impl Config {
    /// Reads a file. An empty one is refused: an editor or a full disk has cut it, and defaults in its place would let go
    /// of interfaces, outputs and protected devices.
    ///
    /// # Errors
    /// With file, line and key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        if text.trim().is_empty() && path.is_file() {
            return Err(ConfigError::Empty(path.to_owned()));
        }
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// With line and key.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let config: Self = toml::from_str(text)
            .map_err(|error| Mistake::at(text, error.span(), error.message().trim_end()))?;
        let mut names = HashSet::new();
        for (index, interface) in config.interface.iter().enumerate() {
            if !names.insert(&interface.name) {
                let span = locate::item(text, "interface", index, "name");
                let what = format!("interface {:?} is there twice", interface.name);
                return Err(Mistake::at(text, span, what));
            }
        }
        if let Some((index, key, what)) = config.output.mistake() {
            let span = locate::item(text, "output.syslog", index, key);
            return Err(Mistake::at(text, span, what));
        }
        if let Some(what) = config.output.same_file() {
            return Err(Mistake::at(text, None, what));
        }
        Ok(config)
    }

    /// The file that this configuration would be, defaults included.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# not representable: {error}\n"))
    }

    /// What the kernel side is loaded with.
    #[must_use]
    pub fn kernel(&self) -> Options {
        let flow = &self.flow;
        Options {
            interfaces: self
                .interface
                .iter()
                .map(|interface| InterfaceOptions {
                    name: interface.name.clone(),
                    mode: match interface.mode {
                        ListenMode::Auto => None,
                        ListenMode::Driver => Some(Mode::Driver),
                        ListenMode::Generic => Some(Mode::Generic),
                    },
                    inline: interface.role == Role::Inline,
                })
                .collect(),
            tables: TableSizes {
                established4: flow.established,
                established6: flow.established_ipv6,
                fresh4: flow.fresh,
                fresh6: flow.fresh_ipv6,
            },
            ring_bytes: self.ring.size.get(),
            clock: self.clock.source.into(),
            settings: Settings {
                idle_tcp: flow.idle_tcp.as_nanos(),
                idle_other: flow.idle_other.as_nanos(),
                idle_closed: flow.idle_closed.as_nanos(),
                ..Settings::DEFAULT
            },
            pin_root: self.state.pins.clone(),
            active: flow.active.into(),
        }
    }

    /// What the pipeline is made with.
    #[must_use]
    pub fn pipeline(&self) -> PipelineOptions {
        PipelineOptions {
            dicom_tls_ports: self.protocol.dicom_tls_ports.clone(),
            hl7_tls_ports: self.protocol.hl7_tls_ports.clone(),
            // A session lives at least as long as its flow.
            session_idle_ns: self.flow.idle_tcp.as_nanos().saturating_mul(2),
            ..PipelineOptions::default()
        }
    }
}
