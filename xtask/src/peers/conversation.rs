//! What a suite or the sensor says of a connection, in one form.

use std::net::IpAddr;

/// Address and port; the port is 0 where the protocol has none.
pub(super) type End = (IpAddr, u16);

/// Which connection: the protocol's name in lower case and both ends, the lesser first.
pub(super) type Key = (String, End, End);

/// A connection; what is not said is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Conversation {
    pub(super) protocol: String,
    /// Client and server.
    pub(super) ends: Option<(End, End)>,
    /// `ends` are in no order that means anything.
    pub(super) unordered: bool,
    /// Of the client and of the server.
    pub(super) packets: Option<[u64; 2]>,
    /// The same with the copies that a mirror delivered twice.
    pub(super) with_copies: Option<[u64; 2]>,
    /// Of the client and of the server, without what was sent again.
    pub(super) payload: Option<[u64; 2]>,
    pub(super) community_id: Option<String>,
    pub(super) sni: Option<String>,
    pub(super) version: Option<String>,
    pub(super) cipher: Option<String>,
    pub(super) alpn: Option<String>,
    /// The sensor says that it missed parts.
    pub(super) incomplete: bool,
}

impl Conversation {
    /// ICMP has no ports here: Zeek and the Community ID write its type and code in their place, the sensor nothing.
    pub(super) fn new(protocol: &str, client: End, server: End) -> Self {
        let protocol = match protocol.to_lowercase().as_str() {
            "1" | "icmp6" | "icmpv6" | "ipv6-icmp" | "58" => "icmp".to_owned(),
            "6" => "tcp".to_owned(),
            "17" => "udp".to_owned(),
            "132" => "sctp".to_owned(),
            other => other.to_owned(),
        };
        let bare = |end: End| if protocol == "icmp" { (end.0, 0) } else { end };
        Self {
            ends: Some((bare(client), bare(server))),
            protocol,
            ..Self::default()
        }
    }

    pub(super) fn key(&self) -> Option<Key> {
        let (client, server) = self.ends?;
        Some((
            self.protocol.clone(),
            client.min(server),
            client.max(server),
        ))
    }

    /// True where client and server are said, and mean something.
    pub(super) fn has_roles(&self) -> bool {
        !self.unordered && matches!(self.protocol.as_str(), "tcp" | "udp" | "sctp")
    }
}

/// A version of TLS as the sensor writes it.
pub(super) fn version(text: &str) -> String {
    let text = text.trim();
    let drafts = text.to_lowercase();
    if let Some((_, draft)) = drafts.split_once("draft") {
        return format!("TLS 1.3 draft {}", draft.trim_matches(['-', ' ', ')']));
    }
    // The drafts of a library of its own numbers.
    if drafts.contains("fizz") || drafts.starts_with("0xfb") {
        return "TLS 1.3 draft of Fizz".to_owned();
    }
    // As the sensor shows it.
    if let Some(draft) = text.strip_prefix("0x7f") {
        return format!(
            "TLS 1.3 draft {}",
            u8::from_str_radix(draft, 16).unwrap_or(0)
        );
    }
    match text
        .trim_start_matches("TLS")
        .trim_start_matches(['v', ' '])
    {
        "1" | "10" | "1.0" => "TLS 1.0".to_owned(),
        "11" | "1.1" => "TLS 1.1".to_owned(),
        "12" | "1.2" => "TLS 1.2".to_owned(),
        "13" | "1.3" => "TLS 1.3".to_owned(),
        _ => text.to_owned(),
    }
}

/// An end from its two words.
pub(super) fn end(address: &str, port: &str) -> Option<End> {
    Some((address.trim().parse().ok()?, port.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_one_spelling() {
        for (theirs, ours) in [
            ("TLSv12", "TLS 1.2"),
            ("TLSv1", "TLS 1.0"),
            ("TLS 1.3", "TLS 1.3"),
            ("TLSv13-draft23", "TLS 1.3 draft 23"),
            ("TLSv1.3 (Fizz)", "TLS 1.3 draft of Fizz"),
            ("0xfb1a", "TLS 1.3 draft of Fizz"),
            ("0x7f17", "TLS 1.3 draft 23"),
            ("SSLv3", "SSLv3"),
        ] {
            assert_eq!(version(theirs), ours);
        }
    }

    #[test]
    fn both_directions_have_one_key() {
        let (a, b) = (
            end("10.0.0.1", "104").unwrap(),
            end("10.0.0.2", "40000").unwrap(),
        );
        let (one, other) = (Conversation::new("TCP", a, b), Conversation::new("6", b, a));
        assert_eq!(one.key(), other.key());
        assert_eq!(Conversation::new("58", a, b).ends.unwrap().0.1, 0);
    }
}
