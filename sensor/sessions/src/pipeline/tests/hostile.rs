//! Ring records that no kernel would write.

use super::{
    pdu::{ECHO, accept, ask, request},
    wire::Wire,
};
use crate::pipeline::{Pipeline, PipelineOptions};

fn records() -> Vec<Vec<u8>> {
    let mut wire = Wire::new(PipelineOptions::default());
    wire.segment = 150;
    wire.open();
    wire.client(&request("ARCHIVE", "CT01", &[ECHO, ECHO]));
    wire.server(&accept("", "", &[0, 1]));
    wire.client(&ask(1, 0x0030, 1, ECHO, false));
    wire.client_port += 1;
    wire.open();
    wire.client(b"\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rPID|1\r\x1c\r");
    wire.server(b"\x0bMSH|^~\\&|C|D|A|B|1||ACK|2|P|2.5\rMSA|AA|1\r\x1c\r");
    wire.close();
    wire.records
}

#[test]
fn a_bad_record_is_counted_by_its_reason() {
    let records = records();
    let chunk = records.iter().find(|record| record[1] == 2).unwrap();
    let flow = records.iter().find(|record| record[1] == 1).unwrap();
    let changed = |record: &Vec<u8>, at: usize, value: u8| {
        let mut record = record.clone();
        record[at] = value;
        record
    };
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out = Vec::new();
    for (record, reason) in [
        (Vec::new(), "short"),
        (chunk[..15].to_vec(), "short"),
        (chunk[..79].to_vec(), "short"),
        (chunk[..80].to_vec(), "short"),
        (flow[..flow.len() - 1].to_vec(), "short"),
        (changed(chunk, 0, 99), "version"),
        (changed(chunk, 1, 9), "kind"),
        (changed(chunk, 2, 2), "detail"),
        (changed(flow, 2, 0), "detail"),
        (changed(chunk, 3, 200), "protocol"),
        (changed(flow, 16 + 37, 5), "family"),
        (changed(chunk, 75, 0xff), "tape_length"),
    ] {
        let before = pipeline
            .stats()
            .bad_records
            .get(reason)
            .copied()
            .unwrap_or(0);
        pipeline.ring_record(&record, &mut out);
        let after = pipeline
            .stats()
            .bad_records
            .get(reason)
            .copied()
            .unwrap_or(0);
        assert_eq!(
            after,
            before + 1,
            "{reason}: {:?}",
            pipeline.stats().bad_records
        );
    }
    assert!(out.is_empty());
}

/// Real records with bytes changed at random: every record is accounted for, whatever it says.
#[test]
fn damaged_records_do_no_harm() {
    let records = records();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out = Vec::new();
    for round in 0..20_000_u64 {
        let mut record = records[next(records.len())].clone();
        for _ in 0..next(4) {
            let at = next(record.len());
            record[at] = u8::try_from(next(256)).unwrap();
        }
        record.truncate(record.len() - if next(8) == 0 { next(record.len()) } else { 0 });
        pipeline.ring_record(&record, &mut out);
        if round % 500 == 0 {
            pipeline.tick(round << 40, &mut out);
            assert!(serde_json::to_string(&out).is_ok());
            out.clear();
        }
    }
    pipeline.finish(&mut out);
    let stats = pipeline.stats();
    assert_eq!(stats.records, 20_000);
    assert_eq!(
        stats.records,
        stats.flow_records + stats.chunks + stats.bad()
    );
    assert!(stats.bad() > 500 && stats.chunks > 5_000, "{stats:?}");
    assert_eq!(stats.sessions_opened, stats.sessions_closed, "{stats:?}");
    assert!(pipeline.hosts().len() as u64 == stats.hosts);
}
