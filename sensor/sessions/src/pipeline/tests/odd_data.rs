//! P-DATA-TF, command sets and data sets as some peers write them, and PDUs that receivers refuse: tried with DCMTK 3.6.7 and
//! pynetdicom 3.0.

use super::{
    odd_dicom::{changed, closed, echoed, plain},
    pdu::{CT, ECHO, accept, answer, ask, command_set, echo_set, echo_talk, pdu, pdv, request},
    wire::{Wire, in_any_pieces},
};
use crate::pipeline::PipelineOptions;
use sensor_facts::event::AssociationOutcome;

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
