//! Writing headers.

/// The bytes of a frame, header after header.
pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(crate) const OUTER_MACS: [u8; 12] = [2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 1];
pub(crate) const INNER_MACS: [u8; 12] = [2, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 0x0c];

/// An Ethernet frame of the outer addresses.
pub(crate) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&OUTER_MACS, &kind.to_be_bytes(), payload])
}

/// An IPv4 packet without checksum, as nobody looks at it, that may be a fragment.
pub(crate) fn ip4_piece(protocol: u8, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap();
    join(&[
        &[0x45, 0],
        &length.to_be_bytes(),
        &id.to_be_bytes(),
        &place.to_be_bytes(),
        &[64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
        payload,
    ])
}

/// A whole one.
pub(crate) fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ip4_piece(protocol, 1, 0, payload)
}

/// An IPv6 packet.
pub(crate) fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut source = [0; 16];
    source[..2].copy_from_slice(&[0x20, 1]);
    let mut target = source;
    (source[15], target[15]) = (1, 2);
    join(&[
        &[0x60, 0, 0, 0],
        &length.to_be_bytes(),
        &[next, 64],
        &source,
        &target,
        payload,
    ])
}

/// A datagram without checksum.
pub(crate) fn udp(source: u16, target: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    join(&[
        &source.to_be_bytes(),
        &target.to_be_bytes(),
        &length.to_be_bytes(),
        &[0, 0],
        payload,
    ])
}

/// A frame with a datagram to a port of a tunnel: its header, then what it carries.
pub(crate) fn over_udp(port: u16, header: &[u8], inside: &[u8]) -> Vec<u8> {
    ethernet(
        0x0800,
        &ip4(17, &udp(40_001, port, &join(&[header, inside]))),
    )
}

/// A frame with GRE: flags, protocol, the optional fields, then what it carries.
pub(crate) fn over_gre(flags: u16, protocol: u16, fields: &[u8], inside: &[u8]) -> Vec<u8> {
    let header = join(&[&flags.to_be_bytes(), &protocol.to_be_bytes(), fields]);
    ethernet(0x0800, &ip4(47, &join(&[&header, inside])))
}
