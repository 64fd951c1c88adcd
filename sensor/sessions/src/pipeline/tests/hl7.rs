//! HL7 messages and sessions, from the bytes on the wire to the event.

use super::wire::Wire;
use crate::pipeline::PipelineOptions;
use sensor_facts::event::{Hl7SessionEnd, Party};

pub(super) fn block(segments: &[&str]) -> Vec<u8> {
    [
        &[0x0b][..],
        (segments.join("\r") + "\r").as_bytes(),
        &[0x1c, 0x0d],
    ]
    .concat()
}

pub(super) fn admit(id: &str) -> Vec<u8> {
    let header = format!(
        "MSH|^~\\&|ADT|WARD^1.2^ISO|EHR|HOSP|20260101120000|SECRET|ADT^A01^ADT_A01|{id}|P|2.5"
    );
    block(&[&header, "EVN|A01", "PID|1||4711||CANARY^WILLY"])
}

pub(super) fn acknowledge(code: &str, id: &str) -> Vec<u8> {
    let msa = format!("MSA|{code}|{id}|CANARY said no");
    block(&[
        "MSH|^~\\&|EHR|HOSP|ADT|WARD|20260101120001||ACK^A01|R1|P|2.5",
        &msa,
    ])
}

#[test]
fn a_session_counts_types_acknowledgements_and_times() {
    for segment in [1_460, 1, 5, 60] {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.server_port = 6_661;
        wire.segment = segment;
        wire.open();
        for (id, code) in [("1", "AA"), ("2", "AE"), ("2", "AR"), ("3", "AA")] {
            wire.client(&admit(id));
            wire.wait(10_000_000);
            wire.server(&acknowledge(code, id));
        }
        // Enhanced mode: accepted first, then acknowledged by the application.
        wire.client(&admit("4"));
        wire.server(&acknowledge("CA", "4"));
        wire.server(&acknowledge("AA", "4"));
        wire.server(&acknowledge("AA", "never sent"));
        wire.client(&admit("5"));
        // Two messages in one go.
        wire.client(&[admit("6"), admit("7")].concat());
        wire.close();
        wire.wait(1_100_000_000);

        let json = wire.json();
        assert!(
            !json.contains("CANARY") && !json.contains("SECRET"),
            "{json}"
        );
        let messages = wire.messages();
        assert_eq!(messages.len(), 15, "segments of {segment}");
        let first = messages[0];
        assert_eq!(first.sending_facility.as_deref(), Some("WARD^1.2^ISO"));
        assert_eq!(first.message_type.as_deref(), Some("ADT^A01^ADT_A01"));
        assert_eq!(first.trigger_event.as_deref(), Some("A01"));
        assert_eq!(
            first.bytes,
            Some(u32::try_from(admit("1").len()).unwrap() - 3)
        );
        assert!(first.to_server && first.complete && !first.repeated);
        let repeated: Vec<_> = messages
            .iter()
            .filter(|m| m.repeated)
            .map(|m| &m.control_id)
            .collect();
        assert_eq!(repeated, [&Some("2".to_owned())]);

        let [session] = wire.hl7_sessions()[..] else {
            panic!("segments of {segment}")
        };
        assert_eq!(session.outcome, Hl7SessionEnd::Closed);
        assert_eq!(
            (session.messages, session.to_server, session.to_client),
            (15, 8, 7)
        );
        assert_eq!(session.types["ADT^A01"], 8);
        assert_eq!(session.types["ACK^A01"], 7);
        let acks = session.acknowledgements;
        assert_eq!((acks.aa, acks.ae, acks.ar, acks.ca), (4, 1, 1, 1));
        assert!((session.nak_ratio.unwrap() - 2.0 / 7.0).abs() < 1e-9);
        assert_eq!((session.unmatched_acks, session.unacknowledged), (1, 3));
        assert_eq!(session.repeated_control_ids, 1);
        let times = session.ack_times.unwrap();
        assert_eq!(times.count, 5);
        assert!(
            times.min_us < times.mean_us && times.mean_us < times.max_us,
            "{times:?}"
        );
        if segment == 1_460 {
            assert_eq!((times.min_us, times.max_us), (1_000, 11_000));
        }
        let party = |application: &str, facility: &str| Party {
            application: Some(application.to_owned()),
            facility: Some(facility.to_owned()),
        };
        // Who acknowledges is no sender, though MSH-3 names it.
        assert_eq!(session.senders, [party("ADT", "WARD^1.2^ISO")]);
        assert_eq!(session.receivers, [party("EHR", "HOSP")]);
        let hosts = wire.pipeline.hosts();
        let senders: Vec<_> = hosts
            .iter()
            .flat_map(|host| host.hl7_senders.iter().map(|one| (host.address, one)))
            .collect();
        let [(address, sender)] = senders[..] else {
            panic!("{senders:?}");
        };
        assert_eq!(address, std::net::IpAddr::from([10, 0, 0, 1]));
        assert_eq!(sender.application.as_deref(), Some("ADT"));
        assert_eq!(sender.receivers, [std::net::IpAddr::from([10, 0, 0, 2])]);
        assert_eq!((sender.messages, sender.types["ADT^A01"]), (8, 8));
        assert!(sender.first_seen < sender.last_seen);
    }
}

#[test]
fn any_separators_and_batches_are_read() {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&block(&[
        "MSH#*~\\&#APP#FAC###20260101##ORU*R01#77#T#2.3",
        "PID#CANARY",
    ]));
    wire.client(&block(&[
        "FHS|^~\\&|LAB",
        "BHS|^~\\&|LAB",
        "MSH|^~\\&|LAB|A|||1||ORU^R01|B1|P|2.4",
        "OBX|CANARY",
        "MSH|^~\\&|LAB|A|||1||ORU^R01|B2|P|2.4",
        "BTS|2",
        "FTS|1",
    ]));
    // Its end never comes.
    wire.client(b"\x0bMSH|^~\\&|LAB|A|||1||ORU^R01|CUT|P|2.4\rPID|CANARY");
    wire.close();
    wire.finish();
    assert!(!wire.json().contains("CANARY"));
    let seen: Vec<_> = wire
        .messages()
        .iter()
        .map(|m| {
            let id = m.control_id.clone().unwrap_or_default();
            (
                id,
                m.message_code.clone().unwrap_or_default(),
                m.batch,
                m.complete,
            )
        })
        .collect();
    let expected = [
        ("77", false, true),
        ("B1", true, true),
        ("B2", true, true),
        ("CUT", false, false),
    ]
    .map(|(id, batch, complete)| (id.to_owned(), "ORU".to_owned(), batch, complete));
    assert_eq!(seen, expected);
    let [session] = wire.hl7_sessions()[..] else {
        panic!()
    };
    assert_eq!((session.batches, session.types["ORU^R01"]), (1, 4));
    assert_eq!(session.versions, ["2.3", "2.4"]);
}

#[test]
fn bytes_that_were_lost_cost_only_their_messages() {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.open();
    wire.client(&admit("1"));
    let second = admit("2");
    wire.client(&second[..40]);
    wire.miss_client(second.len() - 40);
    wire.client(&admit("3"));
    wire.server(&acknowledge("AA", "3"));
    wire.finish();
    let complete: Vec<_> = wire
        .messages()
        .iter()
        .map(|message| (message.control_id.clone(), message.complete))
        .collect();
    assert_eq!(complete.first(), Some(&(Some("1".to_owned()), true)));
    assert!(
        complete.contains(&(Some("3".to_owned()), true)),
        "{complete:?}"
    );
    assert!(
        !complete.contains(&(Some("2".to_owned()), true)),
        "{complete:?}"
    );
    let [session] = wire.hl7_sessions()[..] else {
        panic!()
    };
    assert!(session.incomplete);
    assert_eq!(session.outcome, Hl7SessionEnd::Shutdown);
}
