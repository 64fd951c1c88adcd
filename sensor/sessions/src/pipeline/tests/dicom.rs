//! Associations, from the bytes on the wire to the event.

use super::{
    pdu::{CT, ECHO, FIND, MOVE, accept, answer, ask, command, pdu, pdv, request},
    wire::Wire,
};
use crate::pipeline::{Limits, PipelineOptions};
use sensor_common::layer7::Protocol;
use sensor_facts::{
    event::{Association, AssociationOutcome, DicomEventType, Implementation, Side, SubOperations},
    time::Time,
};

const PATIENT: &[u8] = b"\x10\x00\x10\x00\x0c\x00\x00\x00CANARY^WILLY";

/// A store of two fragments, a find with two matches and a cancel, and a move, between request and
/// acceptance and release.
fn talk(wire: &mut Wire) {
    wire.open();
    wire.client(&request("ARCHIVE", "CT01", &[ECHO, CT, FIND, MOVE]));
    wire.server(&accept("echo", "echo", &[3, 0, 0, 0]));
    work(wire);
    wire.client(&pdu(5, &[0; 4]));
    wire.server(&pdu(6, &[0; 4]));
    wire.close();
}

fn work(wire: &mut Wire) {
    wire.client(&ask(3, 0x0001, 1, CT, true));
    wire.client(&pdv(3, 0, &[PATIENT, &[0; 5_000]].concat()));
    wire.client(&pdv(3, 2, PATIENT));
    wire.server(&answer(3, 0x0001, 1, 0xb000, false, None));
    wire.client(&[ask(5, 0x0020, 2, FIND, true), pdv(5, 2, PATIENT)].concat());
    wire.server(&[answer(5, 0x0020, 2, 0xff00, true, None), pdv(5, 2, PATIENT)].concat());
    wire.server(&[answer(5, 0x0020, 2, 0xff01, true, None), pdv(5, 2, PATIENT)].concat());
    let cancel: [(u16, &[u8]); 3] = [
        (0x0100, &[0xff, 0x0f]),
        (0x0120, &[2, 0]),
        (0x0800, &[1, 1]),
    ];
    wire.client(&command(5, &cancel));
    wire.server(&answer(5, 0x0020, 2, 0xfe00, false, None));
    let store: [(u16, &[u8]); 5] = [
        (0x0002, MOVE.as_bytes()),
        (0x0100, &[0x21, 0]),
        (0x0110, &[3, 0]),
        (0x0600, b"ROGUE"),
        (0x0800, &[1, 0]),
    ];
    wire.client(&[command(7, &store), pdv(7, 2, PATIENT)].concat());
    wire.server(&answer(7, 0x0021, 3, 0xff00, false, Some([2, 1, 0, 0])));
    wire.server(&answer(7, 0x0021, 3, 0xb000, false, Some([0, 2, 1, 0])));
}

fn timeless(association: &Association) -> Association {
    Association {
        start: Time(0),
        end: Time(0),
        ..association.clone()
    }
}

#[test]
fn an_association_is_the_same_however_its_bytes_are_cut() {
    let mut first: Option<Association> = None;
    for segment in [1_460, 1, 2, 3, 7, 64, 100, 333] {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.segment = segment;
        talk(&mut wire);
        wire.finish();
        let opened = wire.associations(DicomEventType::Opened);
        assert_eq!(opened.len(), 1, "segments of {segment}");
        assert_eq!(
            opened[0].acceptor.as_ref().and_then(|a| a.max_pdu),
            Some(32_768)
        );
        let closed = wire.associations(DicomEventType::Closed);
        assert_eq!(closed.len(), 1, "segments of {segment}");
        let json = wire.json();
        for secret in ["CANARY", "WILLY", "hunter2", "admin", "secret"] {
            assert!(!json.contains(secret), "{secret} in {json}");
        }
        let closed = timeless(closed[0]);
        let first = first.get_or_insert_with(|| closed.clone());
        assert_eq!(closed, *first, "segments of {segment}");
    }
    let association = first.unwrap();
    assert_eq!(association.outcome, AssociationOutcome::Released);
    assert!(!association.midstream && !association.incomplete);
    assert_eq!(association.calling_ae.as_deref(), Some("CT01"));
    assert_eq!(
        association.called_ae.as_deref(),
        Some("ARCHIVE"),
        "the request's, not the echo's"
    );
    let results: Vec<_> = association
        .contexts
        .iter()
        .map(|context| {
            let result = context.result.as_ref().unwrap();
            (context.id, result.code, result.transfer_syntax.is_some())
        })
        .collect();
    assert_eq!(
        results,
        [(1, 3, false), (3, 0, true), (5, 0, true), (7, 0, true)]
    );
    let name = association.contexts[1]
        .abstract_syntax
        .as_ref()
        .unwrap()
        .name
        .as_deref();
    assert_eq!(name, Some("CT Image Storage"));
    assert_eq!(
        association.requestor,
        Some(Implementation {
            max_pdu: Some(16_384),
            class_uid: Some("1.2.3.4".to_owned()),
            version_name: Some("MODALITY_1".to_owned()),
            async_operations: Some((4, 1)),
        })
    );
    assert_eq!(
        (association.roles[0].scu, association.roles[0].scp),
        (false, true)
    );
    assert_eq!(
        association.user_identity.as_ref().unwrap().text,
        "username and passcode"
    );
    assert_eq!(association.move_destinations, ["ROGUE"]);

    check_commands(&association);
}

fn check_commands(association: &Association) {
    let counts: Vec<_> = association
        .commands
        .iter()
        .map(|c| {
            (
                c.command.as_str(),
                c.scu,
                c.counts.requests,
                c.counts.responses,
            )
        })
        .collect();
    let [store, find, cancel, moved] = &counts[..] else {
        panic!("{counts:?}")
    };
    assert_eq!(
        (store.0, store.1, store.2, store.3.warning),
        ("C-STORE", Side::Requestor, 1, 1)
    );
    assert_eq!((find.0, find.3.pending, find.3.cancel), ("C-FIND", 2, 1));
    assert_eq!((cancel.0, cancel.2, cancel.3.success), ("C-CANCEL", 1, 0));
    assert_eq!(
        (moved.0, moved.3.pending, moved.3.warning),
        ("C-MOVE", 1, 1)
    );
    let [store, find, cancel, moved] = &association.commands[..] else {
        panic!()
    };
    let length = PATIENT.len() as u64;
    assert_eq!(store.counts.request_data_bytes, 2 * length + 5_000);
    assert_eq!(find.counts.response_data_bytes, 2 * length);
    assert_eq!(
        cancel.sop_class, find.sop_class,
        "a cancel is of the request that it names"
    );
    assert_eq!(
        moved.counts.sub_operations,
        Some(SubOperations {
            completed: 2,
            failed: 1,
            warning: 0,
            remaining: 0
        }),
        "the last report's, not the sum of all"
    );
    assert_eq!(store.counts.statuses.get("B000"), Some(&1));
}

#[test]
fn a_capture_that_begins_in_mid_association_tells_what_it_sees() {
    let mut wire = Wire::new(PipelineOptions::default());
    work(&mut wire);
    wire.client(&pdu(5, &[0; 4]));
    wire.server(&pdu(6, &[0; 4]));
    wire.close();
    wire.finish();
    let [association] = wire.associations(DicomEventType::Closed)[..] else {
        panic!()
    };
    assert!(association.midstream);
    assert_eq!(association.outcome, AssociationOutcome::Released);
    assert_eq!(
        (&association.calling_ae, &association.called_ae),
        (&None, &None)
    );
    assert_eq!(association.commands.len(), 4);
    assert_eq!(association.commands[0].scu, Side::Requestor);
    assert!(wire.associations(DicomEventType::Opened).is_empty());
}

#[test]
fn rejects_and_aborts_are_told_in_the_standard_s_words() {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&request("NOBODY", "CT01", &[ECHO]));
    wire.server(&pdu(3, &[0, 1, 1, 7]));
    wire.wait(1_100_000_000);
    let [rejected] = wire.associations(DicomEventType::Rejected)[..] else {
        panic!()
    };
    let reject = rejected.reject.as_ref().unwrap();
    assert_eq!(reject.reason_text, "called-AE-title-not-recognized");
    assert_eq!(reject.result_text, "rejected-permanent");
    assert_eq!(rejected.called_ae.as_deref(), Some("NOBODY"));
    // A second association on the same connection is one of its own, and what comes after its end is
    // none.
    wire.client(&request("ARCHIVE", "CT01", &[ECHO]));
    wire.server(&accept("", "", &[0]));
    wire.client(&pdu(7, &[0, 0, 2, 4]));
    wire.wait(1_100_000_000);
    wire.client(&pdu(5, &[0; 4]));
    wire.close();
    wire.finish();
    let [aborted] = wire.associations(DicomEventType::Closed)[..] else {
        panic!()
    };
    let abort = aborted.abort.as_ref().unwrap();
    assert_eq!(
        (abort.by, abort.reason_text.as_str()),
        (Side::Requestor, "unrecognized-PDU-parameter")
    );
    assert_eq!(aborted.outcome, AssociationOutcome::Aborted);
    let stats = wire.pipeline.stats();
    assert_eq!(
        (
            stats.associations,
            stats.associations_rejected,
            stats.elements_late
        ),
        (2, 1, 1)
    );
    // Nobody is known by a title that was refused.
    let hosts = wire.pipeline.hosts();
    let titles: Vec<_> = hosts
        .iter()
        .flat_map(|host| &host.ae_titles)
        .map(|t| &t.title)
        .collect();
    assert!(!titles.iter().any(|title| *title == "NOBODY"), "{titles:?}");
}

#[test]
fn a_lost_record_is_counted_and_what_it_touched_is_marked() {
    let mut whole = Wire::new(PipelineOptions::default());
    whole.segment = 100;
    talk(&mut whole);
    whole.finish();
    let chunk = |record: &Vec<u8>| record[1] == 2;
    for lost in (0..whole.records.len()).filter(|at| chunk(&whole.records[*at])) {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.segment = 100;
        wire.lost = vec![lost];
        talk(&mut wire);
        wire.finish();
        let stats = wire.pipeline.stats();
        let ended = wire.associations(DicomEventType::Closed);
        assert_eq!(ended.len(), 1, "without record {lost}");
        assert_eq!(
            stats.chunks_lost + stats.chunks_unseen,
            1,
            "without record {lost}"
        );
        assert!(ended[0].incomplete, "without record {lost}");
    }
}

#[test]
fn sessions_beyond_the_limit_are_reported_and_counted() {
    let limits = Limits {
        sessions: 2,
        closed_sessions: 3,
        ..Limits::default()
    };
    let mut wire = Wire::new(PipelineOptions {
        limits,
        ..PipelineOptions::default()
    });
    for number in 0..10 {
        wire.client_port = 40_000 + number;
        wire.open();
        wire.client(&request("ARCHIVE", "CT01", &[ECHO]));
        wire.server(&accept("", "", &[0]));
    }
    assert_eq!(wire.pipeline.stats().sessions_open, 2);
    assert_eq!(wire.pipeline.stats().sessions_evicted, 8);
    assert_eq!(wire.pipeline.stats().sessions_evicted_answered, 8);
    wire.finish();
    assert_eq!(wire.associations(DicomEventType::Closed).len(), 10);
    assert_eq!(wire.pipeline.sessions(Protocol::Dicom).count(), 3);
    let stats = wire.pipeline.stats();
    assert_eq!(
        (stats.sessions_open, stats.sessions_closed),
        (0, stats.sessions_opened)
    );
}

/// Forged requests, a connection each, make room for one another and for no session that was answered.
#[test]
fn forged_requests_end_no_answered_session() {
    let limits = Limits {
        sessions: 4,
        ..Limits::default()
    };
    let mut wire = Wire::new(PipelineOptions {
        limits,
        ..PipelineOptions::default()
    });
    wire.open();
    wire.client(&request("ARCHIVE", "CT01", &[ECHO]));
    wire.server(&accept("", "", &[0]));
    for number in 0..100 {
        wire.client_port = 41_000 + number;
        wire.open();
        wire.client(&request("ARCHIVE", "FORGED", &[ECHO]));
    }
    let open: Vec<_> = wire.pipeline.sessions(Protocol::Dicom).collect();
    let real = open
        .iter()
        .filter(|event| format!("{event:?}").contains("CT01"));
    assert_eq!(real.count(), 1, "{open:?}");
    assert_eq!(wire.pipeline.stats().sessions_evicted, 97);
    assert_eq!(wire.pipeline.stats().sessions_evicted_answered, 0);
}
