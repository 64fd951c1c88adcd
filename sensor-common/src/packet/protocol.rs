//! IP protocol numbers that the parser knows (IANA).

/// ICMP.
pub const ICMP: u8 = 1;
/// IPv4 in IP (RFC 2003).
pub const IPV4: u8 = 4;
/// TCP.
pub const TCP: u8 = 6;
/// UDP.
pub const UDP: u8 = 17;
/// IPv6 in IP (RFC 2473, RFC 4213).
pub const IPV6: u8 = 41;
/// GRE.
pub const GRE: u8 = 47;
/// Authentication header (RFC 4302).
pub const AUTHENTICATION: u8 = 51;
/// `ICMPv6`.
pub const ICMP6: u8 = 58;
/// Ethernet in IP (RFC 3378).
pub const ETHER_IP: u8 = 97;
/// SCTP.
pub const SCTP: u8 = 132;
/// MPLS in IP (RFC 4023).
pub const MPLS: u8 = 137;
