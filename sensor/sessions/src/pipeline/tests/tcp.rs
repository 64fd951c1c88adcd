//! TCP as its receivers take it: what they discard changes nothing, what comes in another order is read all the same, and
//! nothing is lost in silence.

use super::{
    hl7::{acknowledge, admit},
    wire::{Odd, Sums, Wire},
};
use crate::pipeline::PipelineOptions;
use sensor_common::counter::Counter;

pub(super) const MESSAGES: usize = 5;

pub(super) fn wire() -> Wire {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.server_port = 2_575;
    wire
}

/// Five messages with their acknowledgements, each side confirming what it got; `before` comes before the message of each
/// number.
pub(super) fn converse(wire: &mut Wire, mut before: impl FnMut(&mut Wire, usize)) {
    for number in 0..MESSAGES {
        before(wire, number);
        let id = number.to_string();
        wire.client(&admit(&id));
        wire.acknowledge(false);
        wire.server(&acknowledge("AA", &id));
        wire.acknowledge(true);
    }
}

/// Demands all messages, in order, each acknowledged, in one session of one flow.
pub(super) fn is_complete(wire: &mut Wire, of: &str) {
    wire.finish();
    let seen: Vec<_> = wire
        .messages()
        .iter()
        .filter(|message| message.ack_code.is_none())
        .map(|message| message.control_id.clone().unwrap_or_default())
        .collect();
    let expected: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(seen, expected, "{of}");
    let sessions = wire.hl7_sessions();
    let [session] = sessions[..] else {
        panic!("{of}: {sessions:?}")
    };
    assert_eq!(session.acknowledgements.aa, MESSAGES as u64, "{of}");
    assert_eq!((session.to_server, session.incomplete), (5, false), "{of}");
    let flows = wire.flows();
    assert_eq!(flows.len(), 1, "{of}: {flows:?}");
    assert_eq!(flows[0].0.src_ip.unwrap().to_string(), "10.0.0.1", "{of}");
    assert!(!flows[0].1.midstream, "{of}");
}

#[test]
fn a_plain_conversation_is_complete() {
    let mut wire = wire();
    wire.open();
    converse(&mut wire, |_, _| ());
    assert_eq!(wire.counter(Counter::TcpOutOfWindow), 0);
    is_complete(&mut wire, "plain");
}

/// Single packets that the receiver discards, before each message or the first.
#[test]
fn what_the_receiver_discards_changes_nothing() {
    let wrong = |shift| Odd {
        shift,
        sum: Sums::Wrong,
        ..Odd::default()
    };
    let far = |shift| Odd {
        shift,
        ..Odd::default()
    };
    let cases: Vec<(&str, bool, &str, &[u8], Odd)> = vec![
        ("a byte far ahead", true, "PA", b"x", far(0x3000_0000)),
        ("a byte just outside", true, "PA", b"x", far(70_000)),
        ("a byte far behind", true, "PA", b"x", far(0xd000_0000)),
        (
            "the same of the server",
            false,
            "PA",
            b"x",
            far(0x3000_0000),
        ),
        (
            "junk with a wrong checksum",
            true,
            "PA",
            &[b'x'; 300],
            wrong(0),
        ),
        (
            "junk ahead, wrong checksum",
            true,
            "PA",
            &[b'x'; 300],
            wrong(50),
        ),
        ("a reset, wrong checksum", true, "R", b"", wrong(0)),
        (
            "a reset of the server, wrong checksum",
            false,
            "RA",
            b"",
            wrong(0),
        ),
        ("a reset ahead", true, "R", b"", far(17)),
        ("a reset of the server ahead", false, "R", b"", far(100)),
        ("a reset behind", true, "R", b"", far(u32::MAX - 300_000)),
        ("a SYN anywhere", true, "S", b"", far(0x1234_5678)),
        ("a SYN of the server", false, "S", b"", far(99)),
        (
            "a SYN with ACK anywhere",
            false,
            "SA",
            b"",
            far(0x1234_5678),
        ),
        ("a SYN, wrong checksum", true, "S", b"", wrong(0)),
        ("a FIN, wrong checksum", true, "FA", b"", wrong(0)),
        ("a FIN far ahead", true, "FA", b"", far(0x3000_0000)),
        ("junk without ACK", true, "P", &[b'x'; 20], far(0)),
        ("SYN and FIN", true, "SF", b"", far(0)),
        ("SYN and RST", true, "SR", b"", far(0)),
        ("a keep-alive", true, "A", b"", far(u32::MAX)),
        ("a keep-alive with a byte", true, "A", b"\0", far(u32::MAX)),
        (
            "junk ahead, in the window, that never was taken",
            true,
            "PA",
            b"x",
            far(40),
        ),
    ];
    for (of, from_client, flags, payload, odd) in cases {
        for every in [false, true] {
            let mut wire = wire();
            wire.open();
            converse(&mut wire, |wire, number| {
                if every || number == 2 {
                    wire.segment_of(from_client, flags, payload, odd);
                }
            });
            is_complete(&mut wire, &format!("{of}, each time: {every}"));
        }
        let mut wire = wire();
        wire.open();
        // Right after the handshake, with nothing read yet; then a pause.
        wire.segment_of(from_client, flags, payload, odd);
        wire.wait(2_000_000_000);
        converse(&mut wire, |_, _| ());
        is_complete(&mut wire, &format!("{of}, first"));
    }
}

#[test]
fn what_was_discarded_is_counted_by_reason() {
    let mut wire = wire();
    wire.open();
    converse(&mut wire, |_, _| ());
    let odd = |shift, sum| Odd {
        shift,
        sum,
        ..Odd::default()
    };
    wire.segment_of(true, "A", b"x", odd(0x3000_0000, Sums::Right));
    wire.segment_of(true, "R", b"", odd(5, Sums::Right));
    wire.segment_of(true, "S", b"", odd(5, Sums::Right));
    wire.segment_of(true, "SF", b"", odd(5, Sums::Right));
    wire.segment_of(true, "A", b"x", odd(0, Sums::Wrong));
    wire.segment_of(true, "A", b"x", odd(0, Sums::Unfilled));
    let counters = [
        (Counter::TcpOutOfWindow, 1),
        (Counter::TcpResetIgnored, 1),
        (Counter::TcpSynIgnored, 1),
        (Counter::TcpBadFlags, 1),
        (Counter::BadChecksum, 2),
    ];
    for (counter, count) in counters {
        assert_eq!(wire.counter(counter), count, "{}", counter.label());
    }
    wire.finish();
    assert_eq!(wire.flows()[0].1.to_server.ignored, 6);
}

/// A reset or FINs that the sensor alone sees, at the right number and with a right checksum: what goes on shows it.
#[test]
fn a_connection_that_goes_on_was_not_closed() {
    for pause in [0, 900_000_000, 2_000_000_000, 4_000_000_000] {
        for closing in ["reset", "server's reset", "both FINs"] {
            let mut wire = wire();
            wire.open();
            converse(&mut wire, |wire, number| {
                if number == 2 {
                    match closing {
                        "reset" => wire.segment_of(true, "R", b"", Odd::default()),
                        "server's reset" => wire.segment_of(false, "RA", b"", Odd::default()),
                        _ => {
                            wire.segment_of(true, "FA", b"", Odd::default());
                            wire.segment_of(false, "FA", b"", Odd::default());
                        }
                    }
                    wire.wait(pause);
                }
            });
            wire.finish();
            let of = format!("{closing}, then {pause} ns");
            let messages = wire.messages();
            let requests = messages.iter().filter(|one| one.ack_code.is_none());
            assert_eq!(requests.count(), MESSAGES, "{of}");
            let flows = wire.flows();
            assert_eq!(flows.len(), 1, "{of}");
            assert!(!flows[0].1.reset, "{of}");
            let sessions = wire.hl7_sessions();
            // FINs of both sides are believed after a second; then what follows is another session, which says so.
            if closing == "both FINs" && pause > 1_000_000_000 {
                assert!(sessions.len() == 2 && sessions[1].incomplete, "{of}");
            } else {
                assert_eq!(sessions.len(), 1, "{of}");
            }
        }
    }
}

/// A host that leaves checksums to its card, and listens to itself: nothing is taken for discarded.
#[test]
fn checksums_that_are_never_right_say_nothing() {
    for sum in [Sums::Wrong, Sums::Unfilled] {
        for server_too in [false, true] {
            let mut wire = wire();
            let odd = Odd {
                sum,
                ..Odd::default()
            };
            let theirs = if server_too { odd } else { Odd::default() };
            wire.segment_of(true, "S", b"", odd);
            wire.sent(true, 1);
            wire.segment_of(false, "SA", b"", theirs);
            wire.sent(false, 1);
            for number in 0..MESSAGES {
                let id = number.to_string();
                let (message, answer) = (admit(&id), acknowledge("AA", &id));
                wire.segment_of(true, "PA", &message, odd);
                wire.sent(true, message.len());
                wire.segment_of(false, "PA", &answer, theirs);
                wire.sent(false, answer.len());
            }
            assert_eq!(wire.counter(Counter::BadChecksum), 0);
            is_complete(&mut wire, &format!("{sum:?}, server too: {server_too}"));
        }
    }
}

/// On a virtual switch sums are filled in behind the sensor: what has a sum of its own that is wrong is not of that sender.
#[test]
fn forged_data_among_unfilled_checksums_changes_nothing() {
    let mut wire = wire();
    let unfilled = Odd {
        sum: Sums::Unfilled,
        ..Odd::default()
    };
    wire.segment_of(true, "S", b"", unfilled);
    wire.sent(true, 1);
    wire.segment_of(false, "SA", b"", unfilled);
    wire.sent(false, 1);
    for number in 0..MESSAGES {
        // More of them than can be held, in the window, at their place and ahead of it.
        for shift in [0, 20, 300, 900, 1_500, 3_000] {
            let forged = Odd {
                shift,
                sum: Sums::Wrong,
                ..Odd::default()
            };
            wire.segment_of(true, "PA", &[b'?'; 40], forged);
        }
        let id = number.to_string();
        let (message, answer) = (admit(&id), acknowledge("AA", &id));
        wire.segment_of(true, "PA", &message, unfilled);
        wire.sent(true, message.len());
        wire.segment_of(false, "PA", &answer, unfilled);
        wire.sent(false, answer.len());
    }
    assert_eq!(wire.counter(Counter::BadChecksum), 6 * MESSAGES as u64);
    is_complete(&mut wire, "forged among unfilled");
}

/// The card of the listening host joins segments and leaves the sum of the first: data that is longer than a frame can carry
/// is believed at its place, though right sums came before.
#[test]
fn segments_that_a_card_joined_are_read() {
    let mut wire = wire();
    wire.open();
    let wrong = Odd {
        sum: Sums::Wrong,
        ..Odd::default()
    };
    for number in 0..MESSAGES {
        let id = number.to_string();
        let mut message = admit(&id);
        if number % 2 == 1 {
            let end = message.len() - 2;
            let note = [&b"NTE|1||"[..], &[b'x'; 2_000], b"\r"].concat();
            message.splice(end..end, note);
            wire.segment_of(true, "PA", &message, wrong);
            wire.sent(true, message.len());
        } else {
            // A forged one beside it that no card has joined.
            wire.client(&message[..9]);
            wire.segment_of(true, "PA", &[b'?'; 300], wrong);
            wire.client(&message[9..]);
        }
        wire.server(&acknowledge("AA", &id));
    }
    is_complete(&mut wire, "joined");
    assert_eq!(wire.counter(Counter::BadChecksum), 3);
}

#[test]
fn a_new_connection_from_the_same_port_is_another() {
    for closed in [true, false] {
        let mut wire = wire();
        wire.open();
        converse(&mut wire, |_, _| ());
        if closed {
            wire.close();
            wire.wait(100_000_000);
        }
        wire.begin_at(0x7000_0000, 0x1000_0000);
        wire.open();
        converse(&mut wire, |_, _| ());
        wire.finish();
        let sessions = wire.hl7_sessions();
        let seen: Vec<_> = sessions
            .iter()
            .map(|one| (one.to_server, one.incomplete))
            .collect();
        assert_eq!(seen, [(5, false), (5, false)], "closed: {closed}");
    }
}

#[test]
fn late_segments_of_a_closed_connection_are_no_conversation() {
    let mut wire = wire();
    wire.open();
    converse(&mut wire, |_, _| ());
    wire.close();
    wire.wait(30_000_000_000);
    wire.drain();
    for _ in 0..3 {
        wire.segment_of(true, "FA", b"", Odd::default());
        wire.segment_of(false, "R", b"", Odd::default());
    }
    is_complete(&mut wire, "late");
    assert_eq!(wire.pipeline.stats().flows_late, 1);
}

#[test]
fn a_mirror_makes_few_copies() {
    let mut wire = wire();
    let mut frame = Vec::new();
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .udp(50_000, 9_999)
        .write(&mut frame, b"again")
        .unwrap();
    frame[18..20].copy_from_slice(&7_u16.to_be_bytes());
    for _ in 0..2_000 {
        wire.frame(&frame);
    }
    wire.finish();
    let flow = wire.flows()[0].1;
    assert_eq!(
        (flow.to_server.packets, flow.to_server.duplicates),
        (1_998, 2)
    );
}

#[test]
fn a_clock_that_goes_back_ends_nothing_before_it_began() {
    let mut wire = wire();
    wire.open();
    converse(&mut wire, |wire, number| {
        if number == 3 {
            wire.time -= 7_200_000_000_000;
        }
    });
    assert!(wire.pipeline.stats().clock_back > 0);
    wire.finish();
    let flow = wire.flows()[0].1;
    assert!(flow.end >= flow.start && flow.duration_ns == flow.end.0.abs_diff(flow.start.0));
    let session = wire.hl7_sessions()[0];
    assert!(session.end >= session.start && session.to_server == 5);
}
