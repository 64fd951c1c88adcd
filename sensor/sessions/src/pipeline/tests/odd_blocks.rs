//! MLLP blocks that are no messages, or large, or several at a time.

use super::{
    odd_hl7::{ADMIT, ANSWER, block, session},
    wire::{Wire, in_any_pieces},
};
use crate::pipeline::PipelineOptions;

#[test]
fn commits_and_empty_blocks_stand_between_messages() {
    for (commit, counts, skipped) in [
        (&b"\x0b\x06\x1c\r"[..], (1, 0), None),
        (b"\x0b\x15\x1c\r", (0, 1), None),
        (b"\x0b\x06\x1c", (1, 0), None),
        (b"\x0b\x1c\r", (0, 0), Some("hl7_empty")),
    ] {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&block(ADMIT));
                wire.server(commit);
                wire.server(&block(ANSWER));
                wire.client(commit);
                wire.client(&block(ADMIT.replace("|M1|", "|M2|")));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                assert_eq!(messages.len(), 3, "{how}");
                assert!(!session.incomplete, "{how}: {session:?}");
                assert_eq!(
                    (session.commit_acks, session.commit_naks),
                    (counts.0 * 2, counts.1 * 2),
                    "{how}"
                );
                assert_eq!(
                    session.skipped.keys().next().map(String::as_str),
                    skipped,
                    "{how}"
                );
            },
        );
    }
    // Before anything else.
    in_any_pieces(
        0,
        |wire| {
            wire.client(b"\x0b\x06\x1c\r");
            wire.client(&block(ADMIT));
        },
        |wire, how| {
            let (messages, session) = session(wire, how);
            assert_eq!(
                (messages.len(), session.commit_acks, session.incomplete),
                (1, 1, false),
                "{how}"
            );
        },
    );
}

#[test]
fn what_is_no_message_costs_only_itself() {
    for (odd, reason, bytes, incomplete) in [
        (block("CANARY^WILLY"), "hl7_block", 12, true),
        (block("PID|CANARY\rMSH|CANARY"), "hl7_block", 21, true),
        (b"CANARY outside".to_vec(), "hl7_outside", 14, false),
    ] {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&block(ADMIT));
                wire.client(&odd);
                wire.client(&block(ADMIT.replace("|M1|", "|M2|")));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                let ids: Vec<_> = messages
                    .iter()
                    .map(|it| (it.control_id.as_deref(), it.complete))
                    .collect();
                assert_eq!(
                    ids,
                    [(Some("M1"), true), (Some("M2"), true)],
                    "{reason}, {how}"
                );
                assert_eq!(
                    session.skipped.get(reason),
                    Some(&bytes),
                    "{how}: {session:?}"
                );
                assert_eq!(session.incomplete, incomplete, "{reason}, {how}");
            },
        );
    }
    // A header that is longer than what may leave.
    let long = ADMIT.replace("|EHR|", &format!("|{}|", "x".repeat(1_000)));
    in_any_pieces(
        0,
        |wire| wire.client(&block(&long)),
        |wire, how| {
            let (messages, session) = session(wire, how);
            assert_eq!(
                messages[0].sending_application.as_ref().map(String::len),
                Some(768),
                "{how}"
            );
            assert!(
                session.incomplete && session.skipped["hl7_long"] == 232,
                "{how}: {session:?}"
            );
            // It hides nothing of what follows it.
            assert_eq!(
                messages[0].message_type.as_deref(),
                Some("ADT^A01"),
                "{how}"
            );
            assert_eq!(messages[0].control_id.as_deref(), Some("M1"), "{how}");
        },
    );
}

#[test]
fn a_large_message_and_several_in_flight_are_matched() {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    let large = block(format!(
        "{ADMIT}OBX|1|ED|||{}\r",
        "CANARY^WILLY".repeat(200_000)
    ));
    wire.client(&large);
    for id in ["M2", "M3"] {
        wire.client(&block(ADMIT.replace("|M1|", &format!("|{id}|"))));
    }
    for id in ["M3", "M1", "M2"] {
        wire.server(&block(ANSWER.replace("|M1|", &format!("|{id}|"))));
    }
    // An answer before the message's end.
    let last = block(ADMIT.replace("|M1|", "|M4|"));
    wire.client(&last[..100]);
    wire.server(&block(ANSWER.replace("|M1|", "|M4|")));
    wire.client(&last[100..]);
    wire.close();
    wire.finish();
    let (messages, session) = session(&wire, "in flight");
    assert_eq!(
        messages[0].bytes,
        Some(u32::try_from(large.len()).unwrap() - 3)
    );
    assert_eq!(
        (
            session.messages,
            session.unmatched_acks,
            session.unacknowledged
        ),
        (8, 0, 0)
    );
    let times = session.ack_times.as_ref().unwrap();
    assert_eq!(
        (times.count, times.min_us),
        (4, 0),
        "the early one took no time"
    );
    assert!(!session.incomplete);
}

#[test]
fn white_space_before_a_header_hides_nothing() {
    for space in [" ", "\t", "\r\n", "\n", "\x0b", "\x0c", "  \t \x0b "] {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&block(format!("{space}{ADMIT}")));
                wire.server(&block(ANSWER));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                assert_eq!(messages.len(), 2, "{space:?}, {how}");
                assert_eq!(messages[0].control_id.as_deref(), Some("M1"), "{how}");
                assert!(messages[0].complete && !session.incomplete, "{how}");
                assert_eq!(session.unmatched_acks, 0, "{how}");
            },
        );
    }
}

#[test]
fn an_answer_is_found_behind_lines_that_were_in_its_header() {
    // python-hl7 takes a line feed for content, and repeats it.
    for lines in [
        "\nEVN\r",
        "\nEVN||20260901\nPID|1||CANARY\n",
        "\nEVN|1\nPV1\r",
        "\nEVN||20260901\rPID|1||CANARY\r",
        "\nEVN|1\r\nPID|1||CANARY\nPV1|1\r",
    ] {
        let answer = ANSWER.replace("\rMSA", &format!("{lines}MSA"));
        in_any_pieces(
            0,
            |wire| {
                wire.client(&block(ADMIT));
                wire.server(&block(&answer));
                let garbled = answer.replace("|ACK|", "||").replace("|M1|", "|M2|");
                wire.client(&block(ADMIT.replace("|M1|", "|M2|")));
                wire.server(&block(&garbled));
            },
            |wire, how| {
                let (messages, session) = session(wire, how);
                assert_eq!(messages.len(), 4, "{how}");
                assert_eq!(session.acknowledgements.aa, 2, "{lines:?}, {how}");
                assert_eq!(
                    (session.unmatched_acks, session.unacknowledged),
                    (0, 0),
                    "{lines:?}, {how}"
                );
            },
        );
    }
}
