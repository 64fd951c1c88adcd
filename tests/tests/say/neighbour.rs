//! Frames of IPv6 neighbour discovery (RFC 4861).

/// Where the ICMPv6 message begins in a frame without extension headers.
pub(crate) const START: usize = 54;

/// A link-local address.
pub(crate) fn link_local(host: u8) -> [u8; 16] {
    let mut address = [0; 16];
    address[..2].copy_from_slice(&[0xfe, 0x80]);
    address[15] = host;
    address
}

/// All nodes.
pub(crate) const ALL: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// An ICMPv6 message with its checksum; `body` is what follows the checksum.
pub(crate) fn message(
    mac: [u8; 6],
    from: [u8; 16],
    to: [u8; 16],
    kind: u8,
    body: &[u8],
) -> Vec<u8> {
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend(mac);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    let length = u16::try_from(body.len() + 4).unwrap();
    frame.extend(length.to_be_bytes());
    frame.extend([58, 255]);
    frame.extend(from);
    frame.extend(to);
    frame.extend([kind, 0, 0, 0]);
    frame.extend(body);
    correct(&mut frame);
    frame
}

/// Puts the right checksum into a frame, whatever is in it (RFC 8200 section 8.1).
pub(crate) fn correct(frame: &mut [u8]) {
    let Some(message) = frame.get(START..) else {
        return;
    };
    let mut bytes = frame[22..START].to_vec();
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend([0, 0, 0, 58]);
    bytes.extend(message);
    if bytes.len() < 44 {
        return;
    }
    bytes[42..44].fill(0);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    frame[START + 2..START + 4].copy_from_slice(&(!sum).to_be_bytes());
}

/// An option with a link-layer address.
pub(crate) fn link(kind: u8, mac: [u8; 6]) -> Vec<u8> {
    [&[kind, 1][..], &mac].concat()
}

/// A neighbour advertisement: its flags, of which address, and its options.
pub(crate) fn advertisement(mac: [u8; 6], target: [u8; 16], flags: u8, options: &[u8]) -> Vec<u8> {
    let body = [&[flags, 0, 0, 0][..], &target, options].concat();
    message(mac, target, ALL, 136, &body)
}

/// A neighbour solicitation of an address.
pub(crate) fn solicitation(
    mac: [u8; 6],
    from: [u8; 16],
    target: [u8; 16],
    options: &[u8],
) -> Vec<u8> {
    let body = [&[0; 4][..], &target, options].concat();
    message(mac, from, ALL, 135, &body)
}

/// A router advertisement with its lifetime and options.
pub(crate) fn router(mac: [u8; 6], from: [u8; 16], lifetime: u16, options: &[u8]) -> Vec<u8> {
    let [high, low] = lifetime.to_be_bytes();
    let body = [&[64, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0][..], options].concat();
    message(mac, from, ALL, 134, &body)
}

/// A prefix, on-link, for addresses.
pub(crate) fn prefix(address: [u8; 16], valid: u32) -> Vec<u8> {
    let mut option = vec![3, 4, 64, 0xc0];
    option.extend(valid.to_be_bytes());
    option.extend([0; 8]);
    option.extend(address);
    option
}

/// Name servers.
pub(crate) fn dns(servers: &[[u8; 16]]) -> Vec<u8> {
    let units = u8::try_from(1 + 2 * servers.len()).unwrap();
    let mut option = vec![25, units, 0, 0, 0, 0, 2, 0];
    option.extend(servers.concat());
    option
}
