//! Who is the client: the handshake, then the content, then the ports say so.

use super::{
    hl7::{acknowledge, admit},
    pdu,
    wire::{Odd, Sums, Wire},
};
use crate::pipeline::PipelineOptions;
use etherparse::PacketBuilder;

/// Source address of the flows, and whether their opening was not seen.
fn clients(wire: &Wire) -> Vec<(String, bool)> {
    let flows = wire.flows().into_iter();
    flows
        .map(|(event, flow)| (event.src_ip.unwrap().to_string(), flow.midstream))
        .collect()
}

const CLIENT: &str = "10.0.0.1";

fn wire(ports: (u16, u16)) -> Wire {
    let mut wire = Wire::new(PipelineOptions::default());
    (wire.client_port, wire.server_port) = ports;
    wire
}

/// One packet before the opening, which says otherwise: the handshake decides.
#[test]
fn the_handshake_corrects_what_came_before() {
    let sums = [Sums::Right, Sums::Wrong, Sums::Unfilled];
    let decoys = [
        (true, "SA", &b""[..]),
        (false, "S", b""),
        (false, "SA", b""),
        (true, "RA", b""),
        (false, "R", b""),
        (false, "A", b"junk"),
        (true, "FA", b""),
        (true, "SF", b""),
        (false, "SR", b""),
    ];
    for sum in sums {
        for (from_client, flags, payload) in decoys {
            let mut wire = wire((50_000, 11_112));
            let odd = Odd {
                shift: 0x0666_0000,
                acknowledges: Some(77),
                sum,
            };
            wire.segment_of(from_client, flags, payload, odd);
            wire.open();
            wire.client(&admit("1"));
            wire.acknowledge(false);
            wire.server(&acknowledge("AA", "1"));
            wire.close();
            wire.finish();
            let of = format!("{flags} of the client: {from_client}, checksum {sum:?}");
            let last = clients(&wire).pop();
            assert_eq!(last, Some((CLIENT.to_owned(), false)), "{of}");
            let sessions = wire.hl7_sessions();
            let [session] = sessions[..] else {
                panic!("{of}: {sessions:?}")
            };
            assert_eq!((session.to_server, session.to_client), (1, 1), "{of}");
            assert!(!session.incomplete, "{of}");
        }
    }
}

/// The opening was not seen, and ports that say nothing, or the wrong thing: the content decides.
#[test]
fn the_content_says_who_asks() {
    for ports in [(40_000, 50_000), (50_000, 40_000), (104, 50_000)] {
        // The answer comes first.
        let mut wire = wire(ports);
        wire.server(&acknowledge("AA", "0"));
        wire.client(&admit("1"));
        wire.server(&acknowledge("AA", "1"));
        wire.finish();
        assert_eq!(clients(&wire), [(CLIENT.to_owned(), true)], "{ports:?}");
        let session = wire.hl7_sessions()[0];
        assert_eq!((session.to_server, session.to_client), (1, 2), "{ports:?}");
        for event in &wire.out {
            assert_eq!(event.src_ip.unwrap().to_string(), CLIENT, "{event:?}");
        }

        let mut wire = wire_of_dicom(ports, true);
        wire.finish();
        assert_eq!(clients(&wire), [(CLIENT.to_owned(), true)], "{ports:?}");
        let mut wire = wire_of_dicom(ports, false);
        wire.finish();
        assert_eq!(clients(&wire), [(CLIENT.to_owned(), true)], "{ports:?}");
    }
}

fn wire_of_dicom(ports: (u16, u16), request: bool) -> Wire {
    let mut wire = wire(ports);
    if request {
        wire.client(&pdu::request("CALLED", "CALLING", &[pdu::CT]));
    }
    wire.server(&pdu::accept("CALLED", "CALLING", &[0]));
    wire
}

/// Source address of the flow of a single packet from `a` to `b`.
fn client_of(protocol: u8, a: ([u8; 4], u16), b: ([u8; 4], u16)) -> String {
    let mut wire = wire((1, 2));
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(a.0, b.0, 64);
    if protocol == 17 {
        builder.udp(a.1, b.1).write(&mut frame, b"data").unwrap();
    } else {
        let builder = builder.tcp(a.1, b.1, 1_000, 1_000).ack(5);
        builder.write(&mut frame, b"data").unwrap();
    }
    wire.frame(&frame);
    wire.finish();
    clients(&wire)[0].0.clone()
}

#[test]
fn ports_and_addresses_say_who_asks() {
    let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    // The server sends first; (protocol, server's port, client's port).
    for (protocol, server, client) in [
        (6, 2_575, 50_000),
        (6, 6_661, 40_000),
        (6, 11_112, 50_000),
        (6, 11_112, 3_000),
        (6, 104, 50_000),
        (6, 2_762, 9_000),
        (6, 2_049, 1_022),
        (6, 2_049, 700),
        (6, 20_000, 40_000),
        (6, 35_000, 50_000),
        (17, 53, 50_000),
        (17, 20_000, 50_000),
        (17, 67, 68),
        (17, 547, 546),
    ] {
        assert_eq!(
            client_of(protocol, (b, server), (a, client)),
            "10.0.0.1",
            "{server}"
        );
        assert_eq!(
            client_of(protocol, (a, client), (b, server)),
            "10.0.0.1",
            "{server}"
        );
    }
    // Groups and all are never the client.
    for group in [[255; 4], [10, 0, 0, 255], [239, 255, 255, 250]] {
        assert_eq!(client_of(17, (a, 138), (group, 50_000)), "10.0.0.1");
        assert_eq!(client_of(17, (a, 50_000), (group, 1_900)), "10.0.0.1");
    }
    // Not even where a DHCP server answers.
    assert_eq!(client_of(17, (a, 67), ([255; 4], 68)), "10.0.0.1");
    // Nothing is known: who sends the first datagram. Clients of NFS do from ports below 1024.
    assert_eq!(client_of(17, (a, 706), (b, 1_048)), "10.0.0.1");
    assert_eq!(client_of(17, (a, 40_000), (b, 50_000)), "10.0.0.1");
}

#[test]
fn both_can_open_at_once() {
    let mut wire = wire((50_000, 50_001));
    wire.segment_of(true, "S", b"", Odd::default());
    wire.segment_of(false, "S", b"", Odd::default());
    wire.sent(true, 1);
    wire.sent(false, 1);
    for from_client in [true, false] {
        let odd = Odd {
            shift: u32::MAX,
            ..Odd::default()
        };
        wire.segment_of(from_client, "SA", b"", odd);
    }
    wire.client(&admit("1"));
    wire.server(&acknowledge("AA", "1"));
    wire.finish();
    assert_eq!(clients(&wire), [(CLIENT.to_owned(), false)]);
    let session = wire.hl7_sessions()[0];
    assert_eq!((session.to_server, session.incomplete), (1, false));
}

/// Data with the SYN (RFC 7413).
#[test]
fn a_syn_can_bring_data() {
    let mut wire = wire((50_000, 2_575));
    let message = admit("1");
    wire.segment_of(true, "S", &message, Odd::default());
    wire.sent(true, 1 + message.len());
    wire.segment_of(false, "SA", b"", Odd::default());
    wire.sent(false, 1);
    wire.server(&acknowledge("AA", "1"));
    wire.client(&admit("2"));
    wire.finish();
    let session = wire.hl7_sessions()[0];
    assert_eq!((session.to_server, session.incomplete), (2, false));
    assert_eq!(clients(&wire), [(CLIENT.to_owned(), false)]);
}
