//! The configuration file, TOML.
//!
//! Every value is checked while it is read, so that an error names file, line and key. A key that is not in the file has
//! its default. Each section is declared once, in the crate that uses it, by [`section!`]: the commented file
//! (`wardtap config default`) and `docs/configuration.md` are made from these declarations.

mod changes;
mod default;
#[cfg(test)]
mod docs;
mod error;
mod locate;
mod mirror;
#[cfg(test)]
mod output_tests;
mod values;

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use changes::KeyValues;
pub use default::default_text;
pub use error::{ConfigError, Mistake};
pub use mirror::Mirror;
use values::entries;
pub use values::{ClockSource, ListenMode, LogFormat, LogLevel, Role};

pub use sensor_analysis::{
    config::{Alerting, Baseline, Grouping, Model},
    detect::Detect,
};
use sensor_evidence::{audit::Audit, store::config::Store};
use sensor_facts::{
    item, section,
    setting::{RingSize, Span},
};
use sensor_output::outputs::Output;
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

section! {
    /// Wardtap's configuration. Every value shown here is the default, and a key that is left out has its default too.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Config {
        /// The interfaces to listen on.
        pub interface: Vec<Interface> = Vec::new() => list Interface,
        /// Flow tables and time-outs.
        pub flow: Flow,
        /// The ring buffer between kernel and daemon.
        pub ring: Ring,
        /// The clock that flows are timed with.
        pub clock: Clock,
        /// When `wardtap status` warns about what an interface brings.
        pub mirror: Mirror,
        /// Hints for traffic whose protocol can't be read.
        pub protocol: Protocol,
        /// What may be blocked, by whom, and for how long.
        pub containment: Containment,
        /// How Wardtap learns what is usual.
        pub baseline: Baseline,
        /// Thresholds of the detectors.
        pub detect: Detect,
        /// When an alert is raised, and how often.
        pub alert: Alerting,
        /// How alerts are grouped into incidents.
        pub incident: Grouping,
        /// The anomaly model.
        pub model: Model,
        /// How mirror interfaces respond.
        pub response: Response,
        /// Where the daemon keeps its state.
        pub state: State,
        /// The audit trail: how it is split, and how large it may grow.
        pub audit: Audit,
        /// What is stored for reports and people, and how long.
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
}

item! {
    /// An interface to listen on, such as a span (mirror) port. `wardtap run --interface` names one without a file.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Interface {
        /// Its name.
        pub name: String => required "eth1",
        /// How the program is attached: `auto` (driver mode where the driver has it, else generic mode), `driver` or
        /// `generic`.
        #[serde(default)]
        pub mode: ListenMode => default ListenMode::default(),
        /// What the interface is to the traffic: `mirror` (it receives copies, and a rule drops nothing there) or
        /// `inline` (it is in the path, and rules drop packets).
        #[serde(default)]
        pub role: Role => default Role::default(),
    }
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

section! {
    /// Flow tables and time-outs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Flow {
        /// Size of the table of established IPv4 flows: those seen in both directions, and those of DICOM or HL7. An
        /// entry takes 696 bytes. Nothing is evicted from this table.
        #[serde(deserialize_with = "entries")]
        pub established: u32 = TableSizes::default().established4 => unit "entries",
        /// Size of the table of established IPv6 flows.
        #[serde(deserialize_with = "entries")]
        pub established_ipv6: u32 = TableSizes::default().established6 => unit "entries",
        /// Size of the table of new IPv4 flows. In a flood, the least recently used flows are evicted.
        #[serde(deserialize_with = "entries")]
        pub fresh: u32 = TableSizes::default().fresh4 => unit "entries",
        /// Size of the table of new IPv6 flows.
        #[serde(deserialize_with = "entries")]
        pub fresh_ipv6: u32 = TableSizes::default().fresh6 => unit "entries",
        /// An open TCP flow ends when it had no packet for this time.
        pub idle_tcp: Span = Span::from_nanos(Settings::DEFAULT.idle_tcp),
        /// A flow other than TCP ends when it had no packet for this time.
        pub idle_other: Span = Span::from_nanos(Settings::DEFAULT.idle_other),
        /// A TCP flow that was closed, or never answered, leaves the table after this time.
        pub idle_closed: Span = Span::from_nanos(Settings::DEFAULT.idle_closed),
        /// A flow that is still open is reported each time this has passed.
        pub active: Span = Span::from_secs(300),
    }
}

section! {
    /// The ring buffer between kernel and daemon.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Ring {
        /// Its size, a power of two.
        pub size: RingSize = RingSize::mebibytes(8),
    }
}

section! {
    /// The clock that flows are timed with.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Clock {
        /// `precise` counts nanoseconds. `coarse` costs about a tenth less for each packet, and its times are those of
        /// the last timer tick, 1 to 10 ms old.
        pub source: ClockSource = ClockSource::default(),
    }
}

section! {
    /// Hints for traffic whose protocol can't be read. Events name them as hints.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Protocol {
        /// TLS at these ports likely carries DICOM.
        pub dicom_tls_ports: Vec<u16> = PipelineOptions::default().dicom_tls_ports => unit "ports",
        /// TLS at these ports likely carries HL7.
        pub hl7_tls_ports: Vec<u16> = PipelineOptions::default().hl7_tls_ports => unit "ports",
    }
}

section! {
    /// How mirror interfaces respond. A mirror only receives copies, so nothing can be dropped there.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Response {
        /// The interface that TCP resets are sent through. Without it, none are sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub interface: Option<String> = None => example "eth2",
    }
}

section! {
    /// Where the daemon keeps its state.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct State {
        /// The folder of the audit trail, the store, the inventory and the baselines.
        pub directory: PathBuf = STATE.into(),
        /// Where programs and rules are pinned on the BPF file system.
        pub pins: PathBuf = PIN_ROOT.into(),
    }
}

section! {
    /// Prometheus metrics.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Metrics {
        /// Whether metrics are served.
        pub enabled: bool = true,
        /// The address and port that they are served at.
        pub listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9641)),
    }
}

section! {
    /// The socket of the command line.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Control {
        /// Its path.
        pub socket: PathBuf = SOCKET.into(),
        /// The group whose members may use the socket, besides root.
        pub group: String = "wardtap".to_owned(),
    }
}

section! {
    /// The daemon's own log, on standard error.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Log {
        /// The least severe level that is logged: `error`, `warn`, `info`, `debug` or `trace`.
        pub level: LogLevel = LogLevel::default(),
        /// `text` for people, or `json`.
        pub format: LogFormat = LogFormat::default(),
    }
}

/// The message of a TOML error, and what to do about the one that everyone meets.
fn explained(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim_end();
    if message.contains("invalid type: map, expected a sequence") {
        let key = error.span().and_then(|span| locate::key(text, span.start));
        let key = key.unwrap_or_else(|| "interface".to_owned());
        return format!("write [[{key}]] with double brackets: there can be several");
    }
    message.to_owned()
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
            .map_err(|error| Mistake::at(text, error.span(), explained(text, &error)))?;
        let mut names = HashSet::new();
        for (index, interface) in config.interface.iter().enumerate() {
            if !names.insert(&interface.name) {
                let span = locate::item(text, "interface", index, "name");
                let what = format!("interface {:?} is there twice", interface.name);
                return Err(Mistake::at(text, span, what));
            }
        }
        if let Some((key, what)) = config.baseline.mistake() {
            let span = locate::value(text, "baseline", key);
            return Err(Mistake::at(text, span, what));
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
