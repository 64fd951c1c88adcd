//! What comes before a protocol, and TLS that does not begin with a hello message.

use super::{
    odd_hl7::{ADMIT, ANSWER, block},
    pdu::{ECHO, accept, ask, echo_talk, request},
    wire::{Odd, Wire, in_any_pieces},
};
use sensor_common::counter::Counter;
use sensor_facts::event::{AssociationOutcome, DicomEventType};

const PROXY_V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\x09\x09\x09\x0a\x14\0\x09\xc7\x38\0\x68";

#[test]
fn a_session_starts_where_its_protocol_starts() {
    let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(91));
    for before in [
        &b"PROXY TCP4 10.9.9.9 10.20.0.9 51000 104\r\n"[..],
        b"PROXY UNKNOWN\r\n",
        longest.as_bytes(),
        PROXY_V2,
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        b"CONNECT pacs:104 HTTP/1.1\r\nHost: pacs:104\r\n\r\n",
    ] {
        let client = [before, &request("PACS", "MOD1", &[ECHO])[..]].concat();
        let server = if before.starts_with(b"CONNECT") {
            [
                b"HTTP/1.1 200 Connection established\r\n\r\n",
                &accept("", "", &[0])[..],
            ]
            .concat()
        } else {
            accept("", "", &[0])
        };
        let ask = ask(1, 0x30, 1, ECHO, false);
        in_any_pieces(
            before.len() + 20,
            |wire| echo_talk(wire, &client, &server, &ask),
            |wire, how| {
                let [association] = wire.associations(DicomEventType::Closed)[..] else {
                    panic!("{before:?}, {how}: {}", wire.json())
                };
                assert_eq!(
                    association.outcome,
                    AssociationOutcome::Released,
                    "{before:?}, {how}"
                );
                assert!(
                    !association.midstream && !association.incomplete,
                    "{before:?}, {how}: {association:?}"
                );
                assert_eq!(
                    association.calling_ae.as_deref(),
                    Some("MOD1"),
                    "{before:?}, {how}"
                );
                assert_eq!(association.commands.len(), 1, "{before:?}, {how}");
                assert!(
                    association.skipped["before"] >= before.len() as u64,
                    "{before:?}, {how}: {association:?}"
                );
                assert!(
                    wire.counter(Counter::L7Prelude) >= 1 && wire.counter(Counter::L7Before) >= 1
                );
            },
        );
    }
    // What looks like one and is none: nothing is made of it, and what is behind it is found.
    for before in [
        &b"PROX"[..],
        b"PROXY",
        b"\r\n\r\n",
        b"\r\n\r\n\0\r\nQUI",
        b"CONNECTED",
        b"HTTP/2",
        b"P",
    ] {
        let message = [
            before,
            b"\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|M1|P|2.5\rPID|CANARY\r\x1c\r",
        ]
        .concat();
        in_any_pieces(
            before.len() + 6,
            |wire| wire.client(&message),
            |wire, how| {
                let [message] = wire.messages()[..] else {
                    panic!("{before:?}, {how}: {}", wire.json())
                };
                assert!(message.complete, "{before:?}, {how}");
                assert!(!wire.json().contains("CANARY"));
            },
        );
    }
}

#[test]
fn messages_and_hellos_begin_behind_a_prelude_too() {
    for (before, answer) in [
        (
            &b"PROXY TCP4 10.9.9.9 10.20.0.9 51000 2575\r\n"[..],
            &b""[..],
        ),
        (PROXY_V2, b""),
        (
            b"CONNECT engine:2575 HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ),
    ] {
        in_any_pieces(
            before.len() + 6,
            |wire| {
                wire.client(&[before, &block(ADMIT)[..]].concat());
                wire.server(&[answer, &block(ANSWER)[..]].concat());
            },
            |wire, how| {
                let [session] = wire.hl7_sessions()[..] else {
                    panic!("{before:?}, {how}: {}", wire.json())
                };
                assert_eq!(
                    (session.messages, session.acknowledgements.aa),
                    (2, 1),
                    "{before:?}, {how}"
                );
                assert!(!session.incomplete && !session.midstream, "{how}");
                assert!(session.skipped["before"] >= before.len() as u64, "{how}");
            },
        );
        in_any_pieces(
            before.len() + 6,
            |wire| {
                wire.client(&[before, &record(22, &client_hello(8))[..]].concat());
                wire.server(&[answer, &record(22, &server_hello())[..]].concat());
            },
            |wire, how| {
                let [report] = wire.tls()[..] else {
                    panic!("{before:?}, {how}: {}", wire.json())
                };
                assert_eq!(report.sni.as_deref(), Some("pacs.lan"), "{before:?}, {how}");
                assert_eq!(report.version.as_deref(), Some("TLS 1.2"), "{how}");
                assert!(!report.incomplete, "{before:?}, {how}: {report:?}");
            },
        );
    }
}

fn record(content: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[content, 3, 3][..], &length, body].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, l0, l1, l2][..], body].concat()
}

fn client_hello(padding: usize) -> Vec<u8> {
    let name = b"\0\0\0\x0d\0\x0b\0\0\x08pacs.lan";
    let pad = u16::try_from(padding).unwrap().to_be_bytes();
    let padding = [&[0, 21][..], &pad, &vec![0; padding]].concat();
    let extensions = [&padding[..], name].concat();
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let head = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0], &length].concat();
    handshake(1, &[head, extensions].concat())
}

fn server_hello() -> Vec<u8> {
    handshake(2, &[&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0]].concat())
}

#[test]
fn hello_messages_are_found_wherever_they_are() {
    let alert = record(21, &[1, 112]);
    let certificate = handshake(11, &[5; 700]);
    let together = [server_hello(), certificate.clone(), handshake(14, &[])].concat();
    let request = [handshake(0, &[]), server_hello()].concat();
    let split = |message: &[u8], at: usize| {
        [record(22, &message[..at]), record(22, &message[at..])].concat()
    };
    let clients = [
        record(22, &client_hello(8)),
        record(22, &client_hello(1_700)),
        split(&client_hello(8), 10),
        split(&client_hello(8), 60),
        client_hello(8)[..]
            .chunks(20)
            .flat_map(|part| record(22, part))
            .collect(),
        [b"STARTTLS\r\n".to_vec(), record(22, &client_hello(8))].concat(),
    ];
    let servers = [
        record(22, &server_hello()),
        [alert.clone(), record(22, &server_hello())].concat(),
        [alert.clone(), alert, record(22, &together)].concat(),
        record(22, &request),
        record(22, &together),
        split(&server_hello(), 30),
    ];
    for (number, client) in clients.iter().enumerate() {
        for (other, server) in servers.iter().enumerate() {
            let pieces = [1_460, 1, 2, 3, 7, 64];
            for segment in pieces {
                let mut wire = Wire::new(crate::pipeline::PipelineOptions::default());
                wire.open();
                let mut client = &client[..];
                if let Some(rest) = client.strip_prefix(b"STARTTLS\r\n") {
                    // The server agrees, then TLS begins.
                    wire.client(b"STARTTLS\r\n");
                    wire.server(b"220 go on\r\n");
                    client = rest;
                }
                wire.segment = segment;
                wire.client(client);
                wire.server(server);
                wire.close();
                wire.finish();
                let how = format!("client {number}, server {other}, segments of {segment}");
                let [report] = wire.tls()[..] else {
                    panic!("{how}: {}", wire.json())
                };
                assert_eq!(report.version.as_deref(), Some("TLS 1.2"), "{how}");
                assert_eq!(
                    report.cipher_suite.as_deref(),
                    Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
                    "{how}"
                );
                assert_eq!(report.sni.as_deref(), Some("pacs.lan"), "{how}");
                assert!(!report.incomplete, "{how}: {report:?}");
            }
        }
    }
    in_any_pieces(
        80,
        |wire| {
            wire.client(&clients[2]);
            wire.server(&servers[2]);
        },
        |wire, how| {
            let [report] = wire.tls()[..] else {
                panic!("{how}")
            };
            assert_eq!(report.version.as_deref(), Some("TLS 1.2"), "{how}");
        },
    );
}

/// The padding of a short frame that was taken for data comes before the first data of either side, at the same place.
#[test]
fn padding_hides_no_hello_message() {
    for zeros in [1, 2, 6] {
        let mut wire = Wire::new(crate::pipeline::PipelineOptions::default());
        wire.open();
        wire.segment_of(true, "A", &vec![0; zeros], Odd::default());
        wire.client(&record(22, &client_hello(8)));
        wire.segment_of(false, "A", &vec![0; zeros], Odd::default());
        wire.server(&record(22, &server_hello()));
        wire.close();
        wire.finish();
        let [report] = wire.tls()[..] else {
            panic!("{zeros}: {}", wire.json())
        };
        assert_eq!(report.sni.as_deref(), Some("pacs.lan"), "{zeros}");
        assert_eq!(report.version.as_deref(), Some("TLS 1.2"), "{zeros}");
        assert!(!report.incomplete, "{zeros}: {report:?}");
    }
}
