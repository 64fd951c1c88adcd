//! Ring records of any bytes: each is decoded or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_sessions::pipeline::{Pipeline, PipelineOptions};

fuzz_target!(|data: &[u8]| {
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut events = Vec::new();
    let mut rest = data;
    while let [low, high, tail @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high]) & 0x0fff);
        let (record, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        pipeline.ring_record(record, &mut events);
    }
    pipeline.finish(&mut events);
});
