//! DICOM as some peers write it and receivers take it: tried with DCMTK 3.6.7 and pynetdicom 3.0.

use super::{
    pdu::{
        CT, ECHO, IMPLICIT, accept, answer, ask, command_set, echo_set, echo_talk, item, pdu, pdv,
        request,
    },
    wire::{Wire, in_any_pieces},
};
use crate::pipeline::PipelineOptions;
use sensor_facts::event::{Association, AssociationOutcome, DicomEventType};

fn closed<'a>(wire: &'a Wire, how: &str) -> &'a Association {
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
fn echoed(wire: &Wire, how: &str) {
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
fn changed(mut pdu: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    pdu[at..at + bytes.len()].copy_from_slice(bytes);
    pdu
}

fn plain() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
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
            item(0x56, &[&[0, 1, b'1'][..], &[b'x'; 60_000]].concat()),
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

#[test]
fn fragments_of_any_size_are_read() {
    let (rq, ac, _) = plain();
    let set = command_set(0x30, 1, ECHO);
    let value = |control: u8, bytes: &[u8]| pdv(1, control, bytes).split_off(6);
    let mut asks = vec![
        [pdu(4, &[]), pdv(1, 3, &set)].concat(),
        [pdv(1, 1, &[]), pdv(1, 3, &set)].concat(),
        pdu(4, &[value(1, &[]), value(3, &set)].concat()),
        [pdv(1, 1, &set), pdv(1, 3, &[])].concat(),
        set.chunks(1)
            .map(|byte| pdv(1, 1, byte))
            .chain([pdv(1, 3, &[])])
            .flatten()
            .collect(),
    ];
    for at in 1..set.len() {
        let (first, second) = set.split_at(at);
        asks.push(pdu(4, &[value(1, first), value(3, second)].concat()));
        asks.push([pdv(1, 1, first), pdv(1, 3, second)].concat());
    }
    for (number, ask) in asks.iter().enumerate() {
        for segment in [1_460, 1, 7] {
            let mut wire = Wire::new(PipelineOptions::default());
            wire.segment = segment;
            wire.open();
            echo_talk(&mut wire, &rq, &ac, ask);
            wire.finish();
            echoed(&wire, &format!("{number}, segments of {segment}"));
        }
    }
}

#[test]
fn command_sets_of_any_encoding_are_read() {
    let (rq, ac, _) = plain();
    for (big, explicit) in [(false, true), (true, false), (true, true)] {
        let set = echo_set(big, explicit);
        let ask = pdv(1, 3, &set);
        in_any_pieces(0, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
        let (first, second) = set.split_at(29);
        let ask = [pdv(1, 1, first), pdv(1, 3, second)].concat();
        in_any_pieces(0, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
        // Also where the association was not seen.
        let mut wire = Wire::new(PipelineOptions::default());
        wire.client(&pdv(1, 3, &set));
        wire.finish();
        assert_eq!(closed(&wire, "midstream").commands[0].command, "C-ECHO");
    }
    // Without its group length, or after an element of another group, which stays.
    let set = command_set(0x30, 1, ECHO);
    let foreign = b"\x10\x00\x10\x00\x0c\x00\x00\x00CANARY^WILLY";
    for set in [
        set[12..].to_vec(),
        [foreign, &set[..]].concat(),
        [&set[..], foreign].concat(),
    ] {
        let ask = pdv(1, 3, &set);
        in_any_pieces(0, |wire| echo_talk(wire, &rq, &ac, &ask), echoed);
    }
}

#[test]
fn one_odd_pdu_costs_only_itself() {
    let (rq, ac, ask) = plain();
    let set = command_set(0x30, 1, ECHO);
    let value = |length: u32, bytes: &[u8]| [&length.to_be_bytes()[..], &[1, 3], bytes].concat();
    for (odd, reason, bytes) in [
        (pdu(9, b"CANARY^WILLY"), "dicom_pdu", 12),
        (pdu(0x42, &[]), "dicom_pdu", 0),
        (pdu(4, &value(200, b"CANARY")), "dicom_value", 6),
        (pdu(4, &[0; 4]), "dicom_value", 4),
        (pdu(4, &[0; 6]), "dicom_value", 0),
        (pdu(4, &[0, 0, 0, 1, 1]), "dicom_value", 5),
        (
            pdu(4, &[&value(2, &[])[..], b"!!"].concat()),
            "dicom_value",
            2,
        ),
        (pdu(1, b"CANARY^WILLY"), "dicom_associate", 12),
        (
            pdv(1, 3, &[&set[..], b"\0\0\0\x09\x40\0\0\0CANARY"].concat()),
            "dicom_element",
            6,
        ),
        (
            pdv(1, 3, &[&set[..], b"CANARY"].concat()),
            "dicom_element",
            6,
        ),
        (
            pdv(
                1,
                3,
                &[&set[..], b"\0\0\0\x06\x42\0\0\0", &[b'x'; 66]].concat(),
            ),
            "dicom_long",
            66,
        ),
        (pdv(1, 1, &set), "dicom_command", 0),
    ] {
        let odd = [odd, pdv(1, 2, b"")].concat();
        in_any_pieces(
            0,
            |wire| {
                wire.client(&rq);
                wire.server(&ac);
                wire.client(&odd);
                wire.client(&ask);
                wire.server(&answer(1, 0x30, 1, 0, false, None));
                wire.client(&pdu(5, &[0; 4]));
                wire.server(&pdu(6, &[0; 4]));
            },
            |wire, how| {
                let association = closed(wire, how);
                assert_eq!(
                    association.outcome,
                    AssociationOutcome::Released,
                    "{reason}, {how}"
                );
                assert!(association.incomplete, "{reason}, {how}");
                assert_eq!(
                    association.skipped.get(reason),
                    Some(&bytes),
                    "{reason}, {how}: {association:?}"
                );
                assert_eq!(
                    association.skipped.len(),
                    1,
                    "{reason}, {how}: {association:?}"
                );
                assert!(
                    association.commands[0].counts.requests >= 1,
                    "{reason}, {how}"
                );
                assert_eq!(
                    association.commands[0].counts.responses.success, 1,
                    "{reason}, {how}"
                );
            },
        );
    }
}

#[test]
fn an_item_that_does_not_fit_costs_the_rest_of_its_pdu() {
    let (rq, ac, ask) = plain();
    let at = rq.len() - 14;
    for rq in [
        changed(rq.clone(), 101, &[0xff, 0xff]),
        changed(rq, at + 2, &[1, 0]),
    ] {
        in_any_pieces(
            0,
            |wire| echo_talk(wire, &rq, &ac, &ask),
            |wire, how| {
                let association = closed(wire, how);
                assert_eq!(association.outcome, AssociationOutcome::Released, "{how}");
                assert!(association.incomplete, "{how}: {association:?}");
                assert!(
                    association.skipped.contains_key("dicom_item"),
                    "{how}: {association:?}"
                );
                assert_eq!(association.called_ae.as_deref(), Some("PACS"), "{how}");
                assert_eq!(association.commands.len(), 1, "{how}");
            },
        );
    }
}

#[test]
fn a_data_set_that_was_given_up_counts_for_its_own_command() {
    let rq = request("ARCHIVE", "CT1", &[ECHO, CT]);
    let ac = accept("", "", &[0, 0]);
    let ends: [&dyn Fn(&mut Wire); 4] = [
        &|wire| {
            wire.client(&ask(3, 1, 2, ECHO, true));
            wire.client(&pdv(3, 2, &[7; 700]));
            wire.client(&pdu(5, &[0; 4]));
        },
        &|wire| wire.client(&pdu(5, &[0; 4])),
        &|wire| wire.client(&pdu(7, &[0; 4])),
        &|wire| wire.close(),
    ];
    for (number, end) in ends.iter().enumerate() {
        in_any_pieces(
            0,
            |wire| {
                wire.client(&rq);
                wire.server(&ac);
                wire.client(&ask(3, 1, 1, CT, true));
                wire.client(&pdv(3, 0, &[7; 2_000]));
                end(wire);
            },
            |wire, how| {
                let association = closed(wire, how);
                let first = &association.commands[0].counts;
                assert!(association.incomplete, "{number}, {how}");
                assert_eq!(
                    (first.request_data_bytes, first.unfinished_data_sets),
                    (2_000, 1),
                    "{number}, {how}"
                );
                if number == 0 {
                    let second = &association.commands[1].counts;
                    assert_eq!(
                        (second.request_data_bytes, second.unfinished_data_sets),
                        (700, 0),
                        "{how}"
                    );
                }
            },
        );
    }
    // In the middle of a fragment, too.
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&rq);
    wire.server(&ac);
    wire.client(&ask(3, 1, 1, CT, true));
    wire.client(&pdv(3, 0, &[7; 2_000])[..1_012]);
    wire.close();
    wire.finish();
    let first = &closed(&wire, "cut").commands[0].counts;
    assert_eq!(
        (first.request_data_bytes, first.unfinished_data_sets),
        (1_000, 1)
    );
}
