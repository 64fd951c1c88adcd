//! Where a reader leaves bytes out or gives up its place: each reason has a counter, a sentence, and bytes that provoke it,
//! which the counter, the session's event and the pipeline's account then show. A reason without such bytes fails here.

use super::{
    pdu::{CT, ECHO, accept, ask, command_set, item, pdu, pdv, request},
    wire::Wire,
};
use crate::pipeline::PipelineOptions;
use sensor_common::{counter::Counter, layer7::Reason};

const MESSAGE: &[u8] = b"\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|M1|P|2.5\rPID|1\r\x1c\r";

/// A DICOM association, and what its client sends after it.
fn associated(wire: &mut Wire, bytes: &[u8]) {
    wire.client(&request("PACS", "MOD1", &[ECHO, CT]));
    wire.server(&accept("", "", &[0, 0]));
    wire.client(bytes);
    wire.client(&ask(1, 0x30, 1, ECHO, false));
}

/// A message, and what its sender sends after it.
fn spoken(wire: &mut Wire, bytes: &[u8]) {
    wire.client(MESSAGE);
    wire.client(bytes);
    wire.client(MESSAGE);
}

fn provoke(reason: Reason, wire: &mut Wire) {
    let set = command_set(0x30, 1, ECHO);
    match reason {
        Reason::Loss => {
            wire.client(MESSAGE);
            wire.miss_client(100);
            wire.client(MESSAGE);
        }
        Reason::Budget => {
            wire.segment = 60_000;
            let empty: Vec<u8> = (0..600).flat_map(|_| pdv(1, 0, &[])).collect();
            associated(wire, &[pdv(1, 0, b"x"), empty].concat());
        }
        Reason::Before => wire.client(&[b"text", MESSAGE].concat()),
        Reason::DicomPdu => associated(wire, &pdu(9, b"1234")),
        Reason::DicomAssociate => associated(wire, &pdu(1, b"1234")),
        Reason::DicomItem => {
            let whole = request("PACS", "MOD1", &[ECHO]);
            let long = [&whole[6..74], &item(0x10, b"1.2")[..], &[0x20, 0, 1, 0]].concat();
            wire.client(&pdu(1, &long));
        }
        Reason::DicomValue => associated(wire, &pdu(4, &[0; 8])),
        Reason::DicomElement => associated(wire, &pdv(1, 3, &[&set[..], b"rest"].concat())),
        Reason::DicomLong => {
            let long = [&b"\0\0\0\x06\x42\0\0\0"[..], &[b'x'; 66]].concat();
            associated(wire, &pdv(1, 3, &[&set[..], &long].concat()));
        }
        Reason::DicomCommand => associated(wire, &[pdv(1, 1, &set), pdv(1, 2, b"")].concat()),
        Reason::DicomDataSet => {
            associated(
                wire,
                &[ask(3, 1, 7, CT, true), pdv(3, 0, &[1; 90])].concat(),
            );
        }
        Reason::Hl7Outside => spoken(wire, b"text"),
        Reason::Hl7Block => spoken(wire, b"\x0btext\x1c\r"),
        Reason::Hl7Empty => spoken(wire, b"\x0b\x1c\r"),
        Reason::Hl7Cut => {
            wire.client(MESSAGE);
            wire.client(&MESSAGE[..MESSAGE.len() - 4]);
            wire.client(MESSAGE);
        }
        Reason::Hl7Long => {
            let long = [b"\x0bMSH|^~\\&|", &[b'x'; 900][..], b"\rPID|1\r\x1c\r"].concat();
            spoken(wire, &long);
        }
        Reason::TlsRecord | Reason::TlsLong => {
            let mut hello = [
                &[1, 0, 0x10, 0, 3, 3][..],
                &[7; 32],
                &[0, 0, 2, 0xc0, 0x2f, 1, 0, 0x0f, 0xd5],
            ]
            .concat();
            hello.extend([0, 21, 0x0f, 0xd1]);
            hello.resize(4 + 0x1000, 0);
            let [_, _, high, low] = u32::try_from(hello.len()).unwrap().to_be_bytes();
            wire.client(&[&[22, 3, 1, high, low][..], &hello].concat());
            if reason == Reason::TlsRecord {
                wire.server(&[22, 9, 9, 0, 0, 0, 0, 0, 0]);
            }
        }
    }
}

#[test]
fn each_reason_is_counted_told_and_explained() {
    for reason in Reason::ALL {
        let mut wire = Wire::new(PipelineOptions::default());
        wire.open();
        provoke(*reason, &mut wire);
        wire.close();
        wire.finish();
        let label = reason.label();
        assert!(wire.counter(reason.counter()) > 0, "{label} is not counted");
        assert!(
            !reason.help().is_empty() && reason.help().ends_with('.'),
            "{label}"
        );
        assert!(!reason.counter().help().is_empty(), "{label}");
        assert_eq!(Reason::try_from(*reason as u8), Ok(*reason));
        let json = wire.json();
        assert!(
            json.contains(&format!("\"{label}\":")),
            "{label} is in no event: {json}"
        );
        let stats = wire.pipeline.stats();
        assert!(
            stats.skips.get(label).is_some_and(|count| *count > 0),
            "{label}: {stats:?}"
        );
        assert_eq!(
            stats.missing() > 0,
            !reason.is_harmless(),
            "{label}: {:?}",
            stats.skips
        );
        assert_eq!(
            json.contains("\"incomplete\":true"),
            !reason.is_harmless(),
            "{label}: {json}"
        );
    }
}

#[test]
fn reasons_have_counters_of_their_own() {
    for (number, reason) in Reason::ALL.iter().enumerate() {
        for other in &Reason::ALL[number + 1..] {
            assert_ne!(reason.counter(), other.counter(), "{reason:?}, {other:?}");
            assert_ne!(reason.label(), other.label());
        }
    }
    assert!(
        Counter::ALL
            .iter()
            .all(|counter| !counter.help().is_empty())
    );
}

#[test]
fn reasons_are_in_the_documents() {
    let (page, schema) = (
        include_str!("../../../../../docs/events.md"),
        include_str!("../../../../../docs/events.schema.json"),
    );
    for reason in Reason::ALL {
        let (label, help) = (reason.label(), reason.help().trim());
        assert!(page.contains(&format!("| `{label}`")), "{label}");
        assert!(page.contains(help), "{help}");
        assert!(schema.contains(&format!("\"{label}\"")), "{label}");
    }
}
