//! Why resets are refused.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use sensor_facts::target::Transport;

/// Why resets can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Another transport than TCP.
    #[error("{} has no resets: they end TCP connections only", transport.label())]
    NotTcp {
        /// The transport.
        transport: Transport,
    },
    /// A target wider than a connection.
    #[error("resets end one TCP connection; {target} is no connection: name both ends with ports")]
    NoFlow {
        /// The target.
        target: String,
    },
    /// Two ends that no connection has.
    #[error("{a} and {b} are no ends of one connection")]
    NoConnection {
        /// One end.
        a: SocketAddr,
        /// The other end.
        b: SocketAddr,
    },
    /// An end is on the never-block list.
    #[error("{address} is protected: its connections are not reset")]
    Protected {
        /// The end.
        address: IpAddr,
    },
    /// No mirror interface to see the flow at.
    #[error("resets need the flow's packets: name at least one mirror interface")]
    NoMirror,
    /// Resets would go into a span port.
    #[error(
        "{interface} is a mirror: resets need an interface of their own, at a normal switch port"
    )]
    ResponseIsMirror {
        /// Name of the interface.
        interface: String,
    },
    /// A limit that lets nothing out.
    #[error("the limit {limit} is zero: no reset could be sent")]
    ZeroLimit {
        /// Name of the limit.
        limit: &'static str,
    },
    /// An interface that is not there.
    #[error("there is no interface {interface}: see `ip link`")]
    NoInterface {
        /// Name of the interface.
        interface: String,
    },
    /// An interface without Ethernet address.
    #[error("{interface} is no Ethernet interface: resets are Ethernet frames")]
    NotEthernet {
        /// Name of the interface.
        interface: String,
    },
    /// An interface that is down.
    #[error("{interface} is down: `ip link set {interface} up`")]
    Down {
        /// Name of the interface.
        interface: String,
    },
    /// A system call failed.
    #[error("{call} for {interface}: {source}")]
    System {
        /// The system call that failed.
        call: &'static str,
        /// Name of the interface.
        interface: String,
        /// What the system says.
        source: io::Error,
    },
}
