//! Observations: what the pipeline reports to the detectors as soon as it is known.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sensor_common::{
    flow::{self, Flow},
    layer7::Protocol,
    notice::arp::{self, Arp},
    packet::protocol,
};

use crate::{
    address::Conversation,
    event::{Association, Hl7Message},
    target::Transport,
    time::{Time, Timebase},
};

pub use sensor_common::flow::Half;

pub use crate::infrastructure::{Asked, DhcpFacts, Lease, NeighbourFacts, Prefix, RouterFacts};

/// Something that a client did at a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When it was seen, by the packets' clock.
    pub time: Time,
    /// IP protocol number.
    pub protocol: u8,
    /// Who opened the connection; port 0 where the protocol has none.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// The Ethernet addresses that packets of client and server come from: their own, or a router's. Zero where unknown.
    pub macs: [Mac; 2],
    /// What the client did.
    pub what: What,
}

impl Observation {
    /// The transport, if it has ports.
    #[must_use]
    pub const fn transport(&self) -> Option<Transport> {
        Transport::of(self.protocol)
    }

    /// The service that was asked.
    #[must_use]
    pub fn service(&self) -> Option<crate::target::Service> {
        let transport = self.transport()?;
        Some(crate::target::Service {
            transport,
            port: self.server.port(),
        })
    }
}

/// What a client did.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It asked for a TCP connection and got none: a reset, or nothing.
    ConnectionRefused,
    /// A flow goes on for long, or is over.
    Flow(Box<FlowFacts>),
    /// A DICOM association was accepted.
    Association {
        /// Calling AE title.
        calling: Option<String>,
        /// Called AE title.
        called: Option<String>,
        /// The requestor's implementation class UID (PS3.7 annex D.3.3.2).
        implementation: Option<String>,
    },
    /// A DICOM association was rejected (PS3.8 section 9.3.4).
    AssociationRejected {
        /// Calling AE title.
        calling: Option<String>,
        /// Called AE title.
        called: Option<String>,
        /// Who rejected: 1 is the application.
        source: u8,
        /// Why: of source 1, 3 and 7 are AE titles that are not recognised.
        reason: u8,
    },
    /// A DICOM request (PS3.7 annex E.1).
    Request {
        /// Calling AE title.
        calling: Option<String>,
        /// The Command Field.
        command: u16,
        /// Move Destination (0000,0600), of a C-MOVE.
        destination: Option<String>,
    },
    /// A DICOM association is over; its whole summary.
    AssociationEnded(Box<Association>),
    /// TLS was agreed on at a port where it likely carries DICOM or HL7.
    ClinicalTls,
    /// An HL7 message.
    Hl7(Box<Hl7Message>),
    /// ARP: the client is the sender, the server the target; without ports.
    Arp(Box<ArpFacts>),
    /// DHCP: the client is who sent the datagram, the server to whom; without ports.
    Dhcp(Box<DhcpFacts>),
    /// An IPv6 neighbour solicitation or advertisement: the client is who sent it, the server the target; without ports.
    Neighbour(Box<NeighbourFacts>),
    /// An IPv6 router advertisement: the client is who sent it, the server to whom; without ports.
    RouterAdvertisement(Box<RouterFacts>),
    /// The client is the device that had the address `before`.
    Moved {
        /// Its address before.
        before: IpAddr,
    },
}

impl What {
    /// The source address of the Ethernet frame of what a host says of itself or of others; zero for all else.
    #[must_use]
    pub fn frame_mac(&self) -> Mac {
        match self {
            Self::Arp(facts) => facts.frame_mac,
            Self::Dhcp(facts) => facts.frame_mac,
            Self::Neighbour(facts) => facts.frame_mac,
            Self::RouterAdvertisement(facts) => facts.frame_mac,
            _ => [0; 6],
        }
    }
}

/// An Ethernet address.
pub type Mac = [u8; 6];

/// An ARP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArpFacts {
    /// It asks; otherwise it answers.
    pub request: bool,
    /// Who claims to have `sender`.
    pub sender_mac: Mac,
    /// Sender protocol address; unspecified in a probe (RFC 5227).
    pub sender: Ipv4Addr,
    /// Target protocol address.
    pub target: Ipv4Addr,
    /// Target hardware address; in a request of no meaning.
    pub target_mac: Mac,
    /// Source of the Ethernet header.
    pub frame_mac: Mac,
    /// How many there were since this was told last.
    pub count: u32,
}

impl ArpFacts {
    /// From an ARP message that stands for `count`.
    #[must_use]
    pub fn of(arp: &Arp, count: u32) -> Self {
        Self {
            request: arp.key.operation == arp::REQUEST,
            sender_mac: arp.key.mac,
            sender: arp.key.sender.into(),
            target: arp.key.target.into(),
            target_mac: arp.target_mac,
            frame_mac: arp.frame_mac,
            count,
        }
    }
}

/// A flow so far, as its client and its server see it. The features of each direction are as the kernel counts them.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowFacts {
    /// Names the flow in its reports and events.
    pub id: u64,
    /// It is over: no report follows.
    pub over: bool,
    /// Its opening was not seen; who is the client is taken from the ports.
    pub midstream: bool,
    /// A TCP reset was seen.
    pub reset: bool,
    /// Made of fragments without ports.
    pub fragments: bool,
    /// Recognised by content.
    pub app: Protocol,
    /// ICMP type of the first packet.
    pub icmp_type: Option<u16>,
    /// Nanoseconds between its first and its last packet.
    pub duration: u64,
    /// From the client.
    pub to_server: Half,
    /// To the client.
    pub to_client: Half,
}

impl FlowFacts {
    /// Both directions were seen.
    #[must_use]
    pub const fn answered(&self) -> bool {
        self.to_server.packets > 0 && self.to_client.packets > 0
    }

    /// The server took the connection: with TCP it sent SYN and got more than SYNs; with others it answered.
    #[must_use]
    pub fn established(&self, protocol: u8) -> bool {
        if protocol != protocol::TCP {
            return self.answered();
        }
        self.answered()
            && self.to_server.packets > u64::from(self.to_server.syn)
            && (self.to_client.syn > 0 || self.to_client.payload > 0)
    }
}

/// What the detectors should know of a flow entry.
#[must_use]
pub fn of_flow(
    conversation: &Conversation,
    entry: &Flow,
    over: bool,
    timebase: Timebase,
) -> Observation {
    let (to_server, to_client) = entry.client_and_server();
    Observation {
        time: timebase.wall(entry.end()),
        protocol: conversation.protocol,
        client: SocketAddr::new(conversation.src_ip, conversation.src_port.unwrap_or(0)),
        server: SocketAddr::new(conversation.dest_ip, conversation.dest_port.unwrap_or(0)),
        macs: conversation.macs,
        what: What::Flow(Box::new(FlowFacts {
            id: conversation.flow_id,
            over,
            midstream: entry.flags & flow::MIDSTREAM != 0,
            reset: entry.flags & flow::RESET != 0,
            fragments: entry.flags & flow::FRAGMENTS != 0,
            app: entry.protocol(),
            icmp_type: conversation.icmp().map(|(kind, _)| kind),
            duration: entry.end() - entry.start,
            to_server: *to_server,
            to_client: *to_client,
        })),
    }
}

/// False for addresses that no single host has.
#[must_use]
pub fn is_host(address: IpAddr) -> bool {
    !address.is_multicast()
        && !address.is_unspecified()
        && address != IpAddr::V4(std::net::Ipv4Addr::BROADCAST)
}

/// True for an address that is routed on the Internet: neither private (RFC 1918, RFC 4193) nor link-local nor loopback.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let private = match address {
        IpAddr::V4(it) => it.is_private() || it.is_link_local() || it.is_loopback(),
        IpAddr::V6(it) => it.is_unique_local() || it.is_unicast_link_local() || it.is_loopback(),
    };
    !private && is_host(address)
}

/// True for an acknowledgement code that says no (HL7 table 0008).
#[must_use]
pub fn is_negative(code: &str) -> bool {
    matches!(code, "AE" | "AR" | "CE" | "CR")
}
