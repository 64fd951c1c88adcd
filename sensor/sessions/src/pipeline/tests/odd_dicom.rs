//! DICOM as some peers write it and receivers take it: tried with DCMTK 3.6.7 and pynetdicom 3.0.

use super::{
    pdu::{ECHO, IMPLICIT, accept, ask, echo_talk, item, pdu, request},
    wire::{Wire, in_any_pieces},
};
use crate::pipeline::PipelineOptions;
use sensor_facts::event::{Association, AssociationOutcome, DicomEventType};

pub(super) fn closed<'a>(wire: &'a Wire, how: &str) -> &'a Association {
    let json = wire.json();
    assert!(
        !json.contains("CANARY") && !json.contains("hunter2"),
        "{how}: {json}"
    );
    let [association] = wire.associations(DicomEventType::Closed)[..] else {
        panic!("{how}: {json}")
    };
    association
}

/// C-ECHO was asked for and answered in an association that is whole.
pub(super) fn echoed(wire: &Wire, how: &str) {
    let association = closed(wire, how);
    assert_eq!(association.outcome, AssociationOutcome::Released, "{how}");
    assert!(!association.midstream, "{how}: {association:?}");
    assert!(!association.incomplete, "{how}: {association:?}");
    assert!(association.skipped.is_empty(), "{how}: {association:?}");
    let [command] = &association.commands[..] else {
        panic!("{how}: {association:?}")
    };
    assert_eq!(command.command, "C-ECHO", "{how}");
    assert_eq!(
        (command.counts.requests, command.counts.responses.success),
        (1, 1),
        "{how}"
    );
    assert_eq!(wire.associations(DicomEventType::Opened).len(), 1, "{how}");
}

/// [`request`] with bytes changed.
pub(super) fn changed(mut pdu: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    pdu[at..at + bytes.len()].copy_from_slice(bytes);
    pdu
}

pub(super) fn plain() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    (
        request("PACS", "MOD1", &[ECHO]),
        accept("PACS", "MOD1", &[0]),
        ask(1, 0x30, 1, ECHO, false),
    )
}

#[test]
fn titles_are_read_however_they_are_padded() {
    let (rq, ac, ask) = plain();
    for (called, shown) in [
        (&b"PACS\0\0\0\0\0\0\0\0\0\0\0\0"[..], "PACS"),
        (
            b"PACS\0\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc",
            "PACS",
        ),
        (b"\xc0\xb3`I\xfc\x7f          ", "\\xc0\\xb3`I\\xfc\\x7f"),
        (b"                ", ""),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", ""),
        (b"   PACS         ", "PACS"),
        (b"A\\B             ", "A\\\\B"),
        (
            b"P\x01\x02\x03\x04\x05\x06\x07\x08ACS    ",
            "P\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08ACS",
        ),
    ] {
        let rq = changed(rq.clone(), 10, called);
        // A title of control characters is taken only where the items are seen with it.
        let cuts = if called.contains(&1) { 0 } else { 30 };
        let check = |wire: &Wire, how: &str| {
            if cuts == 0 && !how.contains("of 1460") {
                return;
            }
            echoed(wire, how);
            let association = closed(wire, how);
            assert_eq!(association.called_ae.as_deref(), Some(shown), "{how}");
            assert_eq!(association.calling_ae.as_deref(), Some("MOD1"), "{how}");
        };
        in_any_pieces(cuts, |wire| echo_talk(wire, &rq, &ac, &ask), check);
    }
    // An acceptance repeats what it likes.
    for title in [&[0; 16][..], &[0xff; 16], b"\x01\x02\x03 OTHER       "] {
        let ac = changed(ac.clone(), 10, title);
        in_any_pieces(0, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
    }
}

#[test]
fn reserved_bits_and_bytes_are_not_tested() {
    let (rq, ac, ask) = plain();
    let mut odd = changed(rq.clone(), 1, &[0xff]);
    odd[7..10].copy_from_slice(&[3, 0xff, 0xff]);
    odd[42..74].fill(0xee);
    // The reserved bytes of items: application context, context, its syntaxes.
    for at in [75, 100, 104, 105, 106] {
        odd[at] = 0xff;
    }
    in_any_pieces(90, |wire| echo_talk(wire, &odd, &ac, &ask), echoed);
    let ac = changed(ac, 1, &[0x80]);
    for bits in (0..=0xfc).step_by(4) {
        let ask = changed(changed(ask.clone(), 11, &[3 | bits]), 1, &[bits]);
        in_any_pieces(0, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
    }
    // Lengths of the short PDUs, and what is in them.
    for (release, answer) in [
        (pdu(5, &[]), pdu(6, &[0xff; 4])),
        (pdu(5, &[0xff; 8]), pdu(6, &[])),
    ] {
        in_any_pieces(
            0,
            |wire| {
                let mut wire_ask = |bytes: &[u8]| wire.client(bytes);
                wire_ask(&rq);
                wire.server(&ac);
                wire.client(&ask);
                wire.server(&super::pdu::answer(1, 0x30, 1, 0, false, None));
                wire.client(&release);
                wire.server(&answer);
            },
            echoed,
        );
    }
}

#[test]
fn a_refused_request_is_one_whatever_is_wrong_with_it() {
    let (rq, ..) = plain();
    for rq in [
        changed(rq.clone(), 6, &[0, 0]),
        changed(rq.clone(), 6, &[0, 2]),
        changed(rq.clone(), 10, b"PACS\0\0\0\0\0\0\0\0\0\0\0\0"),
        changed(rq, 10, b"\xc0\xb3`I\xfc\x7f          "),
    ] {
        in_any_pieces(
            30,
            |wire| {
                wire.client(&rq);
                wire.server(&pdu(3, &[0xaa, 1, 2, 2]));
            },
            |wire, how| {
                let [rejected] = wire.associations(DicomEventType::Rejected)[..] else {
                    panic!("{how}")
                };
                let reject = rejected.reject.as_ref().unwrap();
                assert_eq!(
                    (reject.result, reject.source, reject.reason),
                    (1, 2, 2),
                    "{how}"
                );
                assert!(!rejected.midstream && !rejected.incomplete, "{how}");
            },
        );
    }
    // And an abort without a reason.
    let (rq, ..) = plain();
    for abort in [
        pdu(7, &[]),
        pdu(7, &[9, 0, 0, 0]),
        pdu(7, &[9, 0, 0, 0, 1, 2]),
    ] {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&rq);
                wire.server(&abort);
            },
            |wire, how| {
                assert_eq!(
                    closed(wire, how).outcome,
                    AssociationOutcome::Aborted,
                    "{how}"
                );
            },
        );
    }
}

fn request_of(items: &[Vec<u8>]) -> Vec<u8> {
    let whole = request("PACS", "MOD1", &[]);
    pdu(1, &[&whole[6..74], &items.concat()].concat())
}

#[test]
fn items_in_any_order_and_unknown_ones_are_taken() {
    let (rq, ac, ask) = plain();
    // After the application context (25 bytes) and the context (50) comes the user information.
    let application = rq[74..99].to_vec();
    let context = rq[99..99 + 50].to_vec();
    assert_eq!(context[0], 0x20);
    let length = usize::from(u16::from_be_bytes([context[2], context[3]])) + 4;
    let (context, user) = (rq[99..99 + length].to_vec(), rq[99 + length..].to_vec());
    let unknown = item(0x99, b"CANARY^WILLY");
    let more = item(0x5f, b"CANARY^WILLY");
    let user_more = item(0x50, &[&user[4..], &more].concat());
    let context_more = item(0x20, &[&context[4..], &unknown].concat());
    let turned = item(
        0x20,
        &[
            &[1, 0xff, 0xff, 0xff][..],
            &item(0x40, IMPLICIT.as_bytes()),
            &item(0x30, ECHO.as_bytes()),
        ]
        .concat(),
    );
    for items in [
        vec![user.clone(), context.clone(), application.clone()],
        vec![
            unknown.clone(),
            application.clone(),
            context.clone(),
            user.clone(),
        ],
        vec![
            application.clone(),
            context.clone(),
            unknown.clone(),
            user.clone(),
            unknown.clone(),
        ],
        vec![application.clone(), context.clone(), user_more],
        vec![application.clone(), context_more, user.clone()],
        vec![application.clone(), turned, user.clone()],
        vec![
            application.clone(),
            context.clone(),
            user.clone(),
            vec![0; 8],
        ],
        vec![application.clone(), context.clone()],
        vec![context.clone(), user.clone()],
    ] {
        let rq = request_of(&items);
        in_any_pieces(
            100,
            |wire| echo_talk(wire, &rq, &ac, &ask),
            |wire, how| {
                echoed(wire, how);
                let association = closed(wire, how);
                assert_eq!(association.contexts.len(), 1, "{how}");
                let name = association.contexts[0].abstract_syntax.as_ref();
                assert_eq!(name.map(|uid| uid.uid.as_str()), Some(ECHO), "{how}");
            },
        );
    }
    // Titles that are padded with NUL before an item that is not known.
    let items = [unknown, application, context, user];
    let odd = changed(request_of(&items), 10, b"PACS\0\0\0\0\0\0\0\0\0\0\0\0");
    in_any_pieces(100, |wire| echo_talk(wire, &odd, &ac, &ask), echoed);
    // Even ids, where the acceptor takes them.
    let rq = changed(rq, 103, &[2]);
    let ac = changed(ac, 103, &[2]);
    let ask = changed(ask, 10, &[2]);
    in_any_pieces(40, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
}

#[test]
fn a_large_request_is_read_to_its_end() {
    let (_, ac, ask) = plain();
    let whole = request("PACS", "MOD1", &[ECHO; 128]);
    let user = item(
        0x50,
        &[
            item(0x51, &[0, 0, 0x40, 0]),
            item(0x56, &[&[0, 1, b'1'][..], &vec![b'x'; 60_000]].concat()),
            item(0x52, b"1.2.3.4"),
        ]
        .concat(),
    );
    let items = &whole[74..];
    let contexts: usize = 25 + 128 * 50;
    let rq = request_of(&[items[..contexts].to_vec(), user]);
    assert!(rq.len() > 65_536);
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    echo_talk(&mut wire, &rq, &ac, &ask);
    wire.finish();
    echoed(&wire, "a large request");
    let association = closed(&wire, "a large request");
    assert_eq!(association.contexts.len(), 128);
    let class = association
        .requestor
        .as_ref()
        .and_then(|it| it.class_uid.as_deref());
    assert_eq!(class, Some("1.2.3.4"), "behind the long sub-item");
}
