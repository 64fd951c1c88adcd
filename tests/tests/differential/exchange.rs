//! What went over a connection, and what the receiver says that it did.

use std::fmt::Write;

use serde_json::Value;

/// Something that went over the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A segment of the client.
    Client(Vec<u8>),
    /// A segment of the receiver.
    Receiver(Vec<u8>),
    /// The client's FIN.
    ClientEnds,
    /// The receiver's FIN.
    ReceiverEnds,
    /// The client's RST.
    ClientResets,
    /// The receiver's RST.
    ReceiverResets,
}

/// An exchange with a receiver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    /// In the order in which the client saw it.
    pub(crate) packets: Vec<Packet>,
    /// What the receiver says that it did, in order; nothing from one that does not say.
    pub(crate) did: Vec<Value>,
    /// The client's port.
    pub(crate) port: u16,
    /// When it began, seconds since 1970.
    pub(crate) begin: f64,
}

impl Exchange {
    /// All that the receiver sent.
    pub(crate) fn received(&self) -> Vec<u8> {
        let sent = self.packets.iter().filter_map(|packet| match packet {
            Packet::Receiver(bytes) => Some(&bytes[..]),
            _ => None,
        });
        sent.collect::<Vec<_>>().concat()
    }

    /// All that the client sent.
    pub(crate) fn sent(&self) -> Vec<u8> {
        let sent = self.packets.iter().filter_map(|packet| match packet {
            Packet::Client(bytes) => Some(&bytes[..]),
            _ => None,
        });
        sent.collect::<Vec<_>>().concat()
    }

    /// What the receiver did of one kind.
    pub(crate) fn did(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.did.iter().filter(move |one| one["did"] == kind)
    }

    /// The exchange as text: a line each, `>` from the client, `<` from the receiver, `!` what it did.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for packet in &self.packets {
            let _ = match packet {
                Packet::Client(bytes) => writeln!(text, "> {}", hex(bytes)),
                Packet::Receiver(bytes) => writeln!(text, "< {}", hex(bytes)),
                Packet::ClientEnds => writeln!(text, "> FIN"),
                Packet::ReceiverEnds => writeln!(text, "< FIN"),
                Packet::ClientResets => writeln!(text, "> RST"),
                Packet::ReceiverResets => writeln!(text, "< RST"),
            };
        }
        for did in &self.did {
            let _ = writeln!(text, "! {did}");
        }
        text
    }

    /// Reads that text; lines that begin otherwise are comments.
    pub(crate) fn parse(text: &str) -> Self {
        let mut exchange = Self::default();
        for line in text.lines() {
            let Some((mark, rest)) = line.split_once(' ') else {
                continue;
            };
            let packet = match (mark, rest) {
                (">", "FIN") => Packet::ClientEnds,
                ("<", "FIN") => Packet::ReceiverEnds,
                (">", "RST") => Packet::ClientResets,
                ("<", "RST") => Packet::ReceiverResets,
                (">", bytes) => Packet::Client(unhex(bytes)),
                ("<", bytes) => Packet::Receiver(unhex(bytes)),
                ("!", json) => {
                    exchange.did.push(serde_json::from_str(json).unwrap());
                    continue;
                }
                _ => continue,
            };
            exchange.packets.push(packet);
        }
        exchange
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

#[test]
fn an_exchange_survives_its_text() {
    let exchange = Exchange {
        packets: vec![
            Packet::Client(vec![1, 0xff]),
            Packet::Receiver(vec![2]),
            Packet::ClientEnds,
            Packet::ReceiverResets,
        ],
        did: vec![serde_json::json!({"did": "closed"})],
        port: 0,
        begin: 0.0,
    };
    let again = Exchange::parse(&format!("a comment\n\n{}", exchange.text()));
    assert_eq!(again.packets, exchange.packets);
    assert_eq!(again.did, exchange.did);
}
