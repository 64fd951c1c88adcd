//! DNS messages (RFC 1035).

fn message(id: u16, flags: [u8; 2], counts: [u8; 2], name: &str, kind: u8) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    let mut out = vec![
        high, low, flags[0], flags[1], 0, counts[0], 0, counts[1], 0, 0, 0, 0,
    ];
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).unwrap_or(0));
        out.extend_from_slice(label.as_bytes());
    }
    out.extend_from_slice(&[0, 0, kind, 0, 1]);
    out
}

/// A record of an IPv4 address (A).
pub const A: u8 = 1;
/// A record of text (TXT).
pub const TXT: u8 = 16;
/// A record of a service (SRV).
pub const SRV: u8 = 33;

/// The bytes of a query.
#[must_use]
pub fn query(id: u16, name: &str, kind: u8) -> Vec<u8> {
    message(id, [1, 0], [1, 0], name, kind)
}

/// Its answer with one record of `data`; without one if there is no such name.
#[must_use]
pub fn answer(id: u16, name: &str, kind: u8, data: Option<&[u8]>) -> Vec<u8> {
    let Some(data) = data else {
        return message(id, [0x81, 0x83], [1, 0], name, kind);
    };
    let mut out = message(id, [0x81, 0x80], [1, 1], name, kind);
    out.extend_from_slice(&[0xc0, 12, 0, kind, 0, 1, 0, 0, 1, 0x2c]);
    out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(data);
    out
}

/// An announcement of mDNS (RFC 6762): a host's name and address.
#[must_use]
pub fn announcement(name: &str, address: [u8; 4]) -> Vec<u8> {
    let mut out = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    for label in [name, "local"] {
        out.push(u8::try_from(label.len()).unwrap_or(0));
        out.extend_from_slice(label.as_bytes());
    }
    out.extend_from_slice(&[0, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4]);
    out.extend_from_slice(&address);
    out
}
