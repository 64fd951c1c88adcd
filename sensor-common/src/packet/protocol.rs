//! IP protocol numbers that the parser knows (IANA).

/// ICMP.
pub const ICMP: u8 = 1;
/// TCP.
pub const TCP: u8 = 6;
/// UDP.
pub const UDP: u8 = 17;
/// GRE.
pub const GRE: u8 = 47;
/// `ICMPv6`.
pub const ICMP6: u8 = 58;
/// SCTP.
pub const SCTP: u8 = 132;
