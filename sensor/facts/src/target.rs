//! What a rule blocks, and what the never-block list protects.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use pnet::util::MacAddr;
use serde::{Deserialize, Serialize};

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
    /// SCTP, RFC 9260.
    Sctp,
}

impl Transport {
    /// Its IP protocol number (IANA).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The transport of an IP protocol number.
    #[must_use]
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            6 => Some(Self::Tcp),
            17 => Some(Self::Udp),
            132 => Some(Self::Sctp),
            _ => None,
        }
    }

    /// As text, in lower case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// A port at which something is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Service {
    /// The transport protocol.
    pub transport: Transport,
    /// The port, 1 to 65535.
    pub port: u16,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.port, self.transport.label())
    }
}

/// What a rule blocks: both directions of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// One connection.
    Flow {
        /// The transport protocol of the connection.
        transport: Transport,
        /// Address and port of one end, IPv6 addresses in brackets.
        a: SocketAddr,
        /// Address and port of the other end.
        b: SocketAddr,
    },
    /// All traffic between two addresses, or what one of them asks of a service of the other.
    Pair {
        /// One address.
        a: IpAddr,
        /// The other; the one that offers the service.
        b: IpAddr,
        /// The service of `b`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Service>,
    },
    /// What anyone asks of a service of a device.
    Service {
        /// IP address of the device.
        address: IpAddr,
        /// The service of the device.
        service: Service,
    },
    /// All traffic from and to an IP address.
    Device {
        /// The IP address.
        address: IpAddr,
    },
    /// All frames from and to an Ethernet address, of any protocol.
    Mac {
        /// The Ethernet address.
        #[cfg_attr(test, schemars(with = "String"))]
        mac: MacAddr,
    },
    /// All traffic from and to the addresses of a subnet.
    Subnet {
        /// The subnet, its host bits zero.
        #[cfg_attr(test, schemars(with = "String"))]
        subnet: IpNet,
    },
}

impl Target {
    /// A word for the kind, as in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Flow { .. } => "flow",
            Self::Pair { .. } => "pair",
            Self::Service { .. } => "service",
            Self::Device { .. } => "device",
            Self::Mac { .. } => "mac",
            Self::Subnet { .. } => "subnet",
        }
    }

    /// True if it is the device's, or a part of its traffic. Whose an Ethernet address is, a target does not know.
    #[must_use]
    pub fn concerns(&self, device: IpAddr) -> bool {
        match self {
            Self::Flow { a, b, .. } => a.ip() == device || b.ip() == device,
            Self::Pair { a, b, .. } => *a == device || *b == device,
            Self::Service { address, .. } | Self::Device { address } => *address == device,
            Self::Subnet { subnet } => subnet.contains(&device),
            Self::Mac { .. } => false,
        }
    }

    /// How much it blocks, the narrowest first: the order in which the kernel looks rules up, and in which
    /// the policy considers them.
    #[must_use]
    pub const fn breadth(&self) -> u8 {
        match self {
            Self::Flow { .. } => 0,
            Self::Pair {
                service: Some(_), ..
            } => 1,
            Self::Pair { service: None, .. } => 2,
            Self::Service { .. } => 3,
            Self::Device { .. } => 4,
            Self::Mac { .. } => 5,
            Self::Subnet { .. } => 6,
        }
    }

    /// The same target in the one form that it is compared, stored and looked up by: ends of a flow and of
    /// a pair without service in ascending order, subnets without host bits, IPv4-mapped IPv6 addresses as
    /// IPv4.
    #[must_use]
    pub fn canonical(self) -> Self {
        let address = |address: IpAddr| address.to_canonical();
        let end = |end: SocketAddr| SocketAddr::new(address(end.ip()), end.port());
        match self {
            Self::Flow { transport, a, b } => {
                let (a, b) = (end(a), end(b));
                Self::Flow {
                    transport,
                    a: a.min(b),
                    b: a.max(b),
                }
            }
            Self::Pair {
                a,
                b,
                service: None,
            } => {
                let (a, b) = (address(a), address(b));
                Self::Pair {
                    a: a.min(b),
                    b: a.max(b),
                    service: None,
                }
            }
            Self::Pair { a, b, service } => Self::Pair {
                a: address(a),
                b: address(b),
                service,
            },
            Self::Service {
                address: at,
                service,
            } => Self::Service {
                address: address(at),
                service,
            },
            Self::Device { address: at } => Self::Device {
                address: address(at),
            },
            Self::Mac { mac } => Self::Mac { mac },
            Self::Subnet { subnet } => Self::Subnet {
                subnet: subnet.trunc(),
            },
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flow { transport, a, b } => write!(f, "{} {a} ↔ {b}", transport.label()),
            Self::Pair {
                a,
                b,
                service: Some(service),
            } => write!(f, "{a} → {b} port {service}"),
            Self::Pair {
                a,
                b,
                service: None,
            } => write!(f, "{a} ↔ {b}"),
            Self::Service { address, service } => write!(f, "{address} port {service}"),
            Self::Device { address } => write!(f, "{address}"),
            Self::Mac { mac } => write!(f, "{mac}"),
            Self::Subnet { subnet } => write!(f, "{subnet}"),
        }
    }
}

/// A peer of a device in its learnt clinical traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
pub struct ClinicalPeer {
    /// The peer.
    pub peer: IpAddr,
    /// The service that one of them offers.
    pub service: Service,
    /// The device offers it; otherwise the peer does.
    pub serves: bool,
}

/// An entry of the never-block list: no rule drops a packet from or to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Protected {
    /// An IP address.
    Device {
        /// The IP address.
        address: IpAddr,
    },
    /// An Ethernet address. What a router sends on carries the router's: protect routers by IP address.
    Mac {
        /// The Ethernet address.
        #[cfg_attr(test, schemars(with = "String"))]
        mac: MacAddr,
    },
    /// All addresses of a subnet.
    Subnet {
        /// The subnet, its host bits zero.
        #[cfg_attr(test, schemars(with = "String"))]
        subnet: IpNet,
    },
}

impl std::str::FromStr for Protected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Ok(Self::Device { address });
        }
        if let Ok(subnet) = text.parse::<IpNet>() {
            return Ok(Self::Subnet { subnet });
        }
        text.parse()
            .map(|mac| Self::Mac { mac })
            .map_err(|_| format!("{text:?} is no IP address, no subnet and no Ethernet address"))
    }
}

impl fmt::Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { address } => write!(f, "{address}"),
            Self::Mac { mac } => write!(f, "{mac}"),
            Self::Subnet { subnet } => write!(f, "{subnet}"),
        }
    }
}
