//! ARP (RFC 826).

use std::net::Ipv4Addr;

use super::{burst::Burst, frame::Mac};

/// Asks who has `target`.
pub fn ask(burst: &mut Burst, mac: Mac, address: Ipv4Addr, target: Ipv4Addr) {
    packet(burst, 1, (mac, address), ([0xff; 6], [0; 6], target));
}

/// Says that `address` is at `mac`.
pub fn tell(burst: &mut Burst, mac: Mac, address: Ipv4Addr, to: (Mac, Ipv4Addr)) {
    packet(burst, 2, (mac, address), (to.0, to.0, to.1));
}

fn packet(burst: &mut Burst, operation: u8, from: (Mac, Ipv4Addr), to: (Mac, Mac, Ipv4Addr)) {
    burst.frame(|out| {
        out.extend_from_slice(&to.0);
        out.extend_from_slice(&from.0);
        out.extend_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
        out.extend_from_slice(&from.0);
        out.extend_from_slice(&from.1.octets());
        out.extend_from_slice(&to.1);
        out.extend_from_slice(&to.2.octets());
        // Padding to the least length of a frame.
        out.extend_from_slice(&[0; 18]);
    });
}
