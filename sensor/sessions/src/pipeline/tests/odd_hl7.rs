//! HL7 as some peers write it and receivers take it.

use super::wire::{Wire, in_any_pieces};
use crate::pipeline::PipelineOptions;
use sensor_facts::event::{Hl7Message, Hl7SessionSummary};

pub(super) const ADMIT: &str = "MSH|^~\\&|EHR|WARD|ENGINE|HUB|20260901120000||ADT^A01|M1|P|2.5\rEVN||20260901\rPID|1||4711||CANARY^PATIENT\rPV1|1|I\r";
pub(super) const ANSWER: &str =
    "MSH|^~\\&|ENGINE|HUB|EHR|WARD|20260901120001||ACK|AM1|P|2.5\rMSA|AA|M1|CANARY\r";

pub(super) fn block(content: impl AsRef<[u8]>) -> Vec<u8> {
    [&[0x0b][..], content.as_ref(), &[0x1c, 0x0d]].concat()
}

pub(super) fn session<'a>(
    wire: &'a Wire,
    how: &str,
) -> (Vec<&'a Hl7Message>, &'a Hl7SessionSummary) {
    let json = wire.json();
    assert!(!json.contains("CANARY"), "{how}: {json}");
    let [session] = wire.hl7_sessions()[..] else {
        panic!("{how}: {json}")
    };
    (wire.messages(), session)
}

/// Message M1 and its acknowledgement, both whole and matched.
fn matched(wire: &Wire, how: &str) {
    let (messages, session) = session(wire, how);
    let [message, answer] = messages[..] else {
        panic!("{how}: {messages:?}")
    };
    assert!(message.complete && answer.complete, "{how}: {messages:?}");
    assert_eq!(message.control_id.as_deref(), Some("M1"), "{how}");
    assert_eq!(message.message_type.as_deref(), Some("ADT^A01"), "{how}");
    assert_eq!(message.sending_facility.as_deref(), Some("WARD"), "{how}");
    assert_eq!(message.version.as_deref(), Some("2.5"), "{how}");
    assert_eq!(answer.ack_code.as_deref(), Some("AA"), "{how}");
    assert!(
        !session.incomplete && !session.midstream,
        "{how}: {session:?}"
    );
    assert_eq!(
        (session.unmatched_acks, session.unacknowledged),
        (0, 0),
        "{how}"
    );
    let times = session
        .ack_times
        .as_ref()
        .unwrap_or_else(|| panic!("{how}"));
    assert!((19_000..40_000).contains(&times.max_us), "{how}: {times:?}");
}

/// The message, 20 ms, the answer, a minute, the end.
fn talk(wire: &mut Wire, message: &[u8], answer: &[u8]) {
    wire.client(message);
    wire.wait(19_000_000);
    let whole = wire.segment;
    wire.segment = 1_460;
    wire.server(answer);
    wire.segment = whole;
    wire.wait(60_000_000_000);
    wire.close();
}

#[test]
fn a_block_is_found_behind_and_before_anything() {
    for (message, answer) in [
        (block(ADMIT), block(ANSWER)),
        (
            [b"log\n", &block(ADMIT)[..]].concat(),
            [b"hello\x0b there\r\n", &block(ANSWER)[..]].concat(),
        ),
        (
            [b"\r\n", &block(ADMIT)[..]].concat(),
            [b"\n", &block(ANSWER)[..]].concat(),
        ),
        (
            [b"CANARY CANARY", &block(ADMIT)[..]].concat(),
            block(ANSWER),
        ),
        (
            [&block(ADMIT)[..], b"CANARY\x0bCANARY"].concat(),
            block(ANSWER),
        ),
        // End block characters without a carriage return, and with a line feed.
        (
            block(ADMIT)[..ADMIT.len() + 2].to_vec(),
            block(ANSWER)[..ANSWER.len() + 2].to_vec(),
        ),
        (
            [&block(ADMIT)[..ADMIT.len() + 2], b"\n"].concat(),
            block(ANSWER),
        ),
        // Start block characters twice, and inside.
        ([b"\x0b", &block(ADMIT)[..]].concat(), block(ANSWER)),
        (
            block(ADMIT.replace("PV1", "ZZZ|a\x0bb|\x0bCANARY\rPV1")),
            block(ANSWER),
        ),
        (block(format!("\r\n{ADMIT}")), block(ANSWER)),
        (
            block(format!("\u{feff}{ADMIT}")),
            block(format!("\u{feff}{ANSWER}")),
        ),
    ] {
        in_any_pieces(80, |wire| talk(wire, &message, &answer), matched);
    }
}

#[test]
fn segments_end_with_carriage_returns_or_line_feeds() {
    let errors = "MSH|^~\\&|ENGINE|HUB|EHR|WARD|20260901120001||ACK|AM1|P|2.5\rERR|||207|E||||CANARY\rNTE|1||CANARY\rZZZ|CANARY\rMSA|AA|M1|CANARY\r";
    let other = errors.replace("||ACK|", "||RSP^K22|");
    let deep = ANSWER.replace("MSA", "PID|1||CANARY\rMSA");
    for answer in [ANSWER, errors, &other, &deep] {
        for end in ["\r", "\n", "\r\n"] {
            let (message, answer) = (ADMIT.replace('\r', end), answer.replace('\r', end));
            in_any_pieces(
                0,
                |wire| talk(wire, &block(&message), &block(&answer)),
                matched,
            );
        }
    }
    // A segment that looks like an answer, in a message that is none.
    let message = block(format!("{ADMIT}MSA|AE|CANARY\r"));
    in_any_pieces(0, |wire| talk(wire, &message, &block(ANSWER)), matched);
}

/// python-hl7 and hl7apy end a block at FS and a carriage return alone.
#[test]
fn an_end_character_in_the_header_is_content_where_other_text_follows() {
    for (from, to) in [
        ("|ENGINE|", "|E\x1cGINE|"),
        ("|^~\\&|", "|\x1c~\\&|"),
        ("|2026", "|\x1c2026"),
    ] {
        // Also where it is the last byte of a TCP segment.
        let message = block(ADMIT.replacen(from, to, 1));
        in_any_pieces(60, |wire| talk(wire, &message, &block(ANSWER)), matched);
    }
    // A message that is but a header ends with its carriage return, or with the next start block character.
    let header = "MSH|^~\\&|EHR|WARD|||1||ADT^A01|M1|P|2.5";
    for end in [&b"\x1c\r"[..], b"\x1c"] {
        let message = [b"\x0b", header.as_bytes(), end].concat();
        in_any_pieces(
            60,
            |wire| {
                wire.client(&message);
                wire.client(&block(ADMIT.replace("|M1|", "|M2|")));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                let ids: Vec<_> = messages
                    .iter()
                    .map(|it| (it.control_id.as_deref(), it.complete))
                    .collect();
                assert_eq!(ids, [(Some("M1"), true), (Some("M2"), true)], "{how}");
                assert!(!session.incomplete, "{how}: {session:?}");
            },
        );
    }
}

/// A receiver that waits for FS and a carriage return takes what follows for more of the message; one that ends it at FS does
/// not. The sensor can't know which it is, and says so.
#[test]
fn text_behind_an_end_character_marks_the_session() {
    for (first, rest, marked) in [
        ("\x1c", "CANARY\x1c\r", true),
        ("\x1c", "\r", false),
        ("\x1c", "\n", false),
        ("\x1c\r", "CANARY", false),
    ] {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.open();
        wire.client(format!("\x0b{ADMIT}{first}").as_bytes());
        wire.client(rest.as_bytes());
        wire.client(&block(ADMIT.replace("|M1|", "|M2|")));
        wire.finish();
        let how = format!("{first:?} {rest:?}");
        let (messages, session) = session(&wire, &how);
        assert_eq!(messages.len(), 2, "{how}");
        assert_eq!(session.incomplete, marked, "{how}: {session:?}");
        assert_eq!(
            session.skipped.contains_key("hl7_cut"),
            marked,
            "{how}: {session:?}"
        );
    }
}

fn wide(text: &str, big: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    units
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

#[test]
fn utf_16_is_read() {
    let message = ADMIT.replace("PV1", "NTE|Łódź, Ǽ, Ĝ, Ĝ, ᰋ|\u{20ac}\rPV1");
    for big in [true, false] {
        let framed = |text: &str| wide(&format!("\x0b{text}\x1c\r"), big);
        let narrow = |text: &str| block(wide(text, big));
        let marked = |text: &str| block(wide(&format!("\u{feff}{text}"), big));
        let first = |text: &str| wide(&format!("\u{feff}\x0b{text}\x1c\r"), big);
        for (message, answer) in [
            (framed(&message), framed(ANSWER)),
            (marked(&message), marked(ANSWER)),
            (first(&message), first(ANSWER)),
            (narrow(ADMIT), narrow(ANSWER)),
        ] {
            in_any_pieces(60, |wire| talk(wire, &message, &answer), matched);
        }
        // Names that are not ASCII, and several messages on one connection.
        let named = message.replace("|EHR|", "|Łódź€|");
        let later = named.replace("|M1|", "|M2|");
        in_any_pieces(
            0,
            |wire| {
                wire.client(&[framed(&named), framed(&later)].concat());
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                let seen: Vec<_> = messages
                    .iter()
                    .map(|it| (it.control_id.as_deref(), it.complete))
                    .collect();
                assert_eq!(seen, [(Some("M1"), true), (Some("M2"), true)], "{how}");
                assert_eq!(
                    messages[0].sending_application.as_deref(),
                    Some("Łódź€"),
                    "{how}"
                );
                assert!(!session.incomplete, "{how}");
            },
        );
    }
}

#[test]
fn headers_of_any_form_are_read() {
    let check = |text: &str, id: Option<&str>, code: Option<&str>, trigger: Option<&str>| {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&block(text));
                wire.client(&block(ADMIT));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                assert_eq!(messages.len(), 2, "{text:?}, {how}");
                let first = messages[0];
                let seen = (
                    first.control_id.as_deref(),
                    first.message_code.as_deref(),
                    first.trigger_event.as_deref(),
                );
                assert_eq!(seen, (id, code, trigger), "{text:?}, {how}");
                assert!(first.complete && !session.incomplete, "{text:?}, {how}");
            },
        );
    };
    check(
        "MSH|^~\\&|A|B|C|D|||ADT^A01|7|P|2.5\rPID|CANARY\r",
        Some("7"),
        Some("ADT"),
        Some("A01"),
    );
    check(
        "MSH|^~\\&|A|B|C|D|1||ADT^A01||P|2.5\rPID|CANARY\r",
        None,
        Some("ADT"),
        Some("A01"),
    );
    check("MSH|^~\\&|A\rPID|CANARY\r", None, None, None);
    check("MSH|\rPID|CANARY\r", None, None, None);
    check(
        "MSH|^~\\&|A|B|C|D|1||ADT^A01~ORU^R01|7|P|2.5\rPID|CANARY\r",
        Some("7"),
        Some("ADT"),
        Some("A01"),
    );
    check(
        "MSH|^~\\&|A&1.2&ISO|B~C|C|D|1||ADT&X^A01&Y|7|P|2.5\rPID|CANARY\r",
        Some("7"),
        Some("ADT"),
        Some("A01"),
    );
    check(
        "MSH#*+!%#A#B#C#D#1##ORU*R01#7#P#2.5\rPID#CANARY\r",
        Some("7"),
        Some("ORU"),
        Some("R01"),
    );
    check(
        "MSH\u{1f}^~\\&\u{1f}A\u{1f}B\u{1f}C\u{1f}D\u{1f}1\u{1f}\u{1f}ADT^A01\u{1f}7\u{1f}P\rPID\u{1f}CANARY\r",
        Some("7"),
        Some("ADT"),
        Some("A01"),
    );
}

#[test]
fn an_answer_is_matched_though_it_escapes_the_id() {
    let message = ADMIT.replace("|M1|", "|A\\T\\B|");
    let answer = ANSWER
        .replace("|^~\\&|", "|*~!+|")
        .replace("MSA|AA|M1|", "MSA|AA|A&B|");
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    talk(&mut wire, &block(message), &block(answer));
    wire.finish();
    let (_, session) = session(&wire, "escapes");
    assert_eq!((session.unmatched_acks, session.unacknowledged), (0, 0));
}
