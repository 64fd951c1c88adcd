//! What decides how an association ends: who may send it, and what came first. The receivers of `tests/tests/differential`
//! say so.

use super::{
    odd_dicom::{closed, plain},
    pdu::{ECHO, accept, answer, pdu, pdv, request},
    wire::Wire,
};
use crate::pipeline::PipelineOptions;
use sensor_facts::event::{Association, AssociationOutcome, DicomEventType, Side};

fn told(talk: impl Fn(&mut Wire)) -> Association {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    talk(&mut wire);
    wire.close();
    wire.finish();
    let all = [DicomEventType::Closed, DicomEventType::Rejected];
    let [association] = all
        .iter()
        .flat_map(|kind| wire.associations(*kind))
        .collect::<Vec<_>>()[..]
    else {
        panic!("{}", wire.json())
    };
    association.clone()
}

const NOTHING: [u8; 4] = [0; 4];

#[test]
fn what_the_client_sends_before_it_is_accepted_belongs_to_the_association() {
    let (rq, ac, ask) = plain();
    let association = told(|wire| {
        wire.client(&rq);
        wire.client(&ask);
        wire.client(&pdu(5, &NOTHING));
        wire.server(&ac);
        wire.server(&answer(1, 0x30, 1, 0, false, None));
        wire.server(&pdu(6, &NOTHING));
    });
    assert_eq!(association.outcome, AssociationOutcome::Released);
    assert!(!association.midstream && !association.incomplete);
    assert_eq!(association.commands[0].counts.responses.success, 1);
}

#[test]
fn a_second_request_on_an_open_association_begins_no_other() {
    let (rq, ac, ask) = plain();
    let second = request("OTHER", "OTHER", &[ECHO, ECHO]);
    for (before, after) in [(&second[..], &[][..]), (&[], &second)] {
        let association = told(|wire| {
            wire.client(&rq);
            wire.client(before);
            wire.server(&ac);
            wire.client(&ask);
            wire.client(after);
            wire.server(&pdu(7, &[0, 0, 2, 2]));
        });
        assert_eq!(association.outcome, AssociationOutcome::Aborted);
        assert_eq!(association.called_ae.as_deref(), Some("PACS"));
        assert_eq!(association.contexts.len(), 1);
        assert!(association.contexts[0].result.is_some());
        assert_eq!(association.commands[0].counts.requests, 1);
        assert!(!association.midstream && !association.incomplete);
        let abort = association.abort.unwrap();
        assert_eq!(
            (abort.by, abort.source, abort.reason),
            (Side::Acceptor, 2, 2)
        );
    }
}

#[test]
fn a_request_after_the_end_begins_another_association_only_if_it_is_answered() {
    let (rq, ac, _) = plain();
    let rejection = pdu(3, &[0, 1, 1, 7]);
    let abort = pdu(7, &[0, 0, 2, 2]);
    for end in [&rejection, &abort] {
        for wait in [0, 2_000_000_000] {
            let association = told(|wire| {
                wire.client(&rq);
                wire.server(end);
                wire.wait(wait);
                wire.client(&request("OTHER", "OTHER", &[ECHO]));
            });
            assert_eq!(association.called_ae.as_deref(), Some("PACS"));
        }
    }
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&rq);
    wire.server(&rejection);
    wire.client(&rq);
    wire.server(&ac);
    wire.close();
    wire.finish();
    assert_eq!(wire.pipeline.stats().associations, 2);
    assert_eq!(wire.associations(DicomEventType::Opened).len(), 1);
}

#[test]
fn what_only_an_acceptor_sends_decides_nothing_when_the_requestor_sends_it() {
    let (rq, ac, _) = plain();
    let false_ones = [
        accept("PACS", "MOD1", &[3]),
        pdu(3, &[0, 1, 1, 7]),
        pdu(6, &NOTHING),
    ];
    for odd in &false_ones {
        // Nobody answered.
        let association = told(|wire| {
            wire.client(&rq);
            wire.client(odd);
        });
        assert_eq!(association.outcome, AssociationOutcome::Cut, "{odd:?}");
        assert!(association.reject.is_none());
        // And after the acceptance.
        let association = told(|wire| {
            wire.client(&rq);
            wire.server(&ac);
            wire.client(odd);
            wire.server(&pdu(7, &[0, 0, 2, 0]));
        });
        assert_eq!(association.outcome, AssociationOutcome::Aborted, "{odd:?}");
        assert_eq!(association.contexts[0].result.as_ref().unwrap().code, 0);
    }
    // An acceptor may ask for the release; then the requestor answers.
    let association = told(|wire| {
        wire.client(&rq);
        wire.server(&ac);
        wire.server(&pdu(5, &NOTHING));
        wire.client(&pdu(6, &NOTHING));
    });
    assert_eq!(association.outcome, AssociationOutcome::Released);
}

#[test]
fn what_came_first_decides() {
    use AssociationOutcome::{Aborted, Rejected, Released};
    let (rq, ac, ask) = plain();
    let (reject, abort) = (pdu(3, &[0, 1, 2, 2]), pdu(7, &[0, 0, 2, 1]));
    let release = [pdu(5, &NOTHING), pdu(6, &NOTHING)];
    for (client, server, later, outcome) in [
        (vec![], reject.clone(), abort.clone(), Rejected),
        // The acceptor had not read the abort.
        (vec![abort.clone()], reject.clone(), vec![], Rejected),
        (vec![], abort.clone(), ask.clone(), Aborted),
        (vec![], abort.clone(), release[0].clone(), Aborted),
        (vec![], abort.clone(), ac.clone(), Aborted),
        (
            vec![release[0].clone()],
            [&ac[..], &release[1]].concat(),
            abort.clone(),
            Released,
        ),
        (
            vec![release[0].clone(), abort.clone()],
            [&ac[..], &release[1]].concat(),
            vec![],
            Released,
        ),
    ] {
        let association = told(|wire| {
            wire.client(&rq);
            for bytes in &client {
                wire.client(bytes);
            }
            wire.server(&server);
            wire.client(&later);
        });
        assert_eq!(association.outcome, outcome, "{association:?}");
        assert_eq!(association.reject.is_some(), outcome == Rejected);
    }
}

#[test]
fn what_follows_a_release_belongs_to_nothing() {
    let (rq, ac, ask) = plain();
    let association = told(|wire| {
        wire.client(&rq);
        wire.server(&ac);
        wire.client(&ask);
        wire.server(&answer(1, 0x30, 1, 0, false, None));
        wire.client(&[pdu(5, &NOTHING), vec![0x91; 9]].concat());
        wire.server(&pdu(6, &NOTHING));
    });
    assert_eq!(association.outcome, AssociationOutcome::Released);
    assert!(!association.incomplete, "{association:?}");
}

#[test]
fn a_pdu_that_never_ends_is_missing() {
    let (rq, ac, ask) = plain();
    // Its value is whole, but not the PDU, which no receiver acts on then.
    let mut long = ask.clone();
    long[5] += 1;
    let association = told(|wire| {
        wire.client(&rq);
        wire.server(&ac);
        wire.client(&long);
    });
    assert!(association.incomplete);
    let whole = told(|wire| {
        wire.client(&rq);
        wire.server(&ac);
        wire.client(&ask);
    });
    assert!(!whole.incomplete);
}

#[test]
fn the_first_element_s_length_shows_its_encoding() {
    let (rq, ac, _) = plain();
    // Command Field first, little-endian: its number looks like Length To End in big-endian.
    let set = [
        &b"\0\0\0\x01\x02\0\0\0\x30\0\0\0\x10\x01\x02\0\0\0\x01\0\0\0\0\x08\x02\0\0\0\x01\x01\0\0\x02\0\x12\0\0\0"[..],
        ECHO.as_bytes(),
        b"\0",
    ]
    .concat();
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    super::pdu::echo_talk(&mut wire, &rq, &ac, &pdv(1, 3, &set));
    wire.finish();
    super::odd_dicom::echoed(&wire, "no group length");
    assert_eq!(closed(&wire, "no group length").commands.len(), 1);
}
