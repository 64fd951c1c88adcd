//! Addresses at the beginning of a text, in the spellings that there are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use sensor_facts::address::mac_text;

use super::Pseudonyms;

/// Longest IPv6 address as text: six groups, then IPv4.
const IPV6_MAX: usize = 45;

impl Pseudonyms {
    /// The address, prefix or Ethernet address that `text` begins with, being after `before`: its length, and its
    /// pseudonym in the same form. A port after it stays where it is.
    pub(super) fn start(&self, before: Option<char>, text: &str) -> Option<(usize, String)> {
        let inside = |more: &[char]| {
            before.is_some_and(|before| before.is_ascii_hexdigit() || more.contains(&before))
        };
        if let Some((length, bytes, between)) = mac(text).filter(|_| !inside(&[':', '-', '.'])) {
            return Some((length, spelled(self.mac(bytes), between)));
        }
        let v6 = || ipv6(text).filter(|_| !inside(&[':']));
        let v4 = || {
            let inside = before.is_some_and(|it| it.is_ascii_digit() || it == '.');
            ipv4(text).filter(|_| !inside)
        };
        let (length, address) = v6().or_else(v4)?;
        let rest = &text[length..];
        let (digits, prefix) = prefix(rest, address).unzip();
        let veiled = self.prefix(address, prefix);
        Some((length + digits.map_or(0, |digits| digits + 1), veiled))
    }

    /// An address as a whole: with a port, as a prefix, or Ethernet's.
    pub(super) fn whole(&self, text: &str) -> Option<String> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Some(self.socket(socket).to_string());
        }
        let (length, veiled) = self.start(None, text)?;
        (length == text.len()).then_some(veiled)
    }

    /// With a prefix's length: a net stays one, and of a host in a net both stay.
    fn prefix(&self, address: IpAddr, length: Option<u8>) -> String {
        let veiled = self.address(address.to_canonical());
        let net = |address| length.and_then(|length| IpNet::new(address, length).ok());
        match (net(address), net(veiled)) {
            (Some(before), Some(after)) if before.trunc() == before => after.trunc().to_string(),
            (_, Some(after)) => after.to_string(),
            _ => veiled.to_string(),
        }
    }
}

/// The digits and the length of `/24`.
fn prefix(text: &str, address: IpAddr) -> Option<(usize, u8)> {
    let digits = text.strip_prefix('/')?;
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let length: u8 = digits[..count].parse().ok()?;
    let most = if address.to_canonical().is_ipv4() {
        32
    } else {
        128
    };
    (length <= most).then_some((count, length))
}

/// `192.0.2.1`, also with leading zeros.
fn ipv4(text: &str) -> Option<(usize, IpAddr)> {
    let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let run = text.bytes().take_while(digits).count();
    let run = text[..run].trim_end_matches('.');
    let mut octets = [0; 4];
    let mut parts = run.split('.');
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.len() <= 3)?;
        *octet = part.parse().ok()?;
    }
    let end = parts.next().is_none();
    end.then(|| (run.len(), Ipv4Addr::from(octets).into()))
}

/// The longest beginning that is one: what follows may be a point or a colon of the sentence.
fn ipv6(text: &str) -> Option<(usize, IpAddr)> {
    let part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let run = text.bytes().take(IPV6_MAX + 2).take_while(part).count();
    let run = &text[..run];
    let colons = run.bytes().filter(|byte| *byte == b':').count();
    let digits = run.bytes().any(|byte| byte.is_ascii_hexdigit());
    if colons < 2 || !digits {
        return None;
    }
    let goes_on = |at: usize| {
        let next = text[at..].chars().next();
        next.is_some_and(char::is_alphanumeric)
    };
    (2..=run.len())
        .rev()
        .filter(|at| !goes_on(*at))
        .find_map(|at| {
            let address: Ipv6Addr = text[..at].parse().ok()?;
            Some((at, address.into()))
        })
        .filter(|(at, _)| *at > 2)
}

/// `00:11:22:aa:bb:cc`, `00-11-22-aa-bb-cc` or `0011.22aa.bbcc`: its length, and what stands between.
fn mac(text: &str) -> Option<(usize, [u8; 6], u8)> {
    let bytes = text.as_bytes();
    let (between, group) = match (bytes.get(2)?, bytes.get(4)) {
        (between @ (b':' | b'-'), _) => (*between, 2),
        (_, Some(b'.')) => (b'.', 4),
        _ => return None,
    };
    let length = 12 + 12 / group - 1;
    let token = bytes.get(..length)?;
    let mut mac = [0; 6];
    let mut digits = 0;
    for (at, byte) in token.iter().enumerate() {
        if at % (group + 1) == group {
            if *byte != between {
                return None;
            }
            continue;
        }
        let digit = u8::try_from(char::from(*byte).to_digit(16)?).ok()?;
        mac[digits / 2] = mac[digits / 2] << 4 | digit;
        digits += 1;
    }
    // More groups: something else.
    let next = bytes.get(length);
    let goes_on = next.is_some_and(u8::is_ascii_alphanumeric)
        || next == Some(&between) && bytes.get(length + 1).is_some_and(u8::is_ascii_hexdigit);
    (!goes_on).then_some((length, mac, between))
}

fn spelled(mac: [u8; 6], between: u8) -> String {
    let text = mac_text(mac).unwrap_or_default();
    match between {
        b'-' => text.replace(':', "-"),
        b'.' => {
            let digits = text.replace(':', "");
            format!("{}.{}.{}", &digits[..4], &digits[4..8], &digits[8..])
        }
        _ => text,
    }
}
