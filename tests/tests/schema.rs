//! Every event of every capture is as the published schema says, and is read back as it was written.

use std::{collections::BTreeMap, fs, path::Path};

use sensor_common::{counter::Counter, packet::Layer, settings::Settings};
use sensor_facts::{event::Event, time::Time};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};
use serde_json::Value;

mod captures;

fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "not a JSON Schema");
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

/// The event as the sensor writes it.
fn line(event: &Event) -> String {
    let mut line = Vec::new();
    event.write_json(&mut line).unwrap();
    String::from_utf8(line).unwrap()
}

fn check(schema: &jsonschema::Validator, name: &str, event: &Event) -> &'static str {
    let line = line(event);
    let value: Value = serde_json::from_str(&line).unwrap();
    if let Some(error) = schema.iter_errors(&value).next() {
        panic!("{name}: {error} at {}: {line}", error.instance_path());
    }
    let again: Event = serde_json::from_str(&line).unwrap();
    assert_eq!(self::line(&again), line, "{name}");
    match value["event_type"].as_str().unwrap() {
        "flow" => "flow",
        "dicom" => "dicom",
        "hl7" => "hl7",
        "tls" => "tls",
        _ => "stats",
    }
}

#[test]
fn every_event_is_as_the_schema_says() {
    let schema = schema();
    let counters = Counter::ALL
        .iter()
        .map(|counter| (counter.label().to_owned(), 1));
    let stats = Event::stats(Time(0), counters.collect());
    assert_eq!(check(&schema, "stats", &stats), "stats");

    // The examples of the page are real events too.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    for example in fs::read_to_string(page)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with('{'))
    {
        let event: Event = serde_json::from_str(example).unwrap();
        check(&schema, "events.md", &event);
        assert_eq!(line(&event), example);
    }

    let Some(root) = captures::root() else { return };
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for path in captures::ethernet(&root) {
        let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
        let mut pipeline = Pipeline::new(PipelineOptions {
            flow_snapshots: true,
            ..PipelineOptions::default()
        });
        let mut out = Vec::new();
        let mut count = |out: &mut Vec<Event>| {
            for event in out.drain(..) {
                let kind = check(&schema, &path.display().to_string(), &event);
                *seen.entry(kind).or_default() += 1;
            }
        };
        for (time, frame) in captures::frames(&path) {
            engine.process(&frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
                pipeline.ring_record(record, &mut out);
            });
            pipeline.tick(time, &mut out);
            count(&mut out);
        }
        let mut flows = 0;
        engine.drain(|key, flow, _| {
            // The flows of scans are all alike: the first of a capture stand for them.
            flows += 1;
            if flows <= 100 {
                pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut out);
            }
        });
        pipeline.finish(&mut out);
        count(&mut out);
        let stats = pipeline.stats();
        let bad = stats.bad();
        assert_eq!(stats.records, stats.flow_records + stats.chunks + bad);
        assert_eq!(
            (bad, stats.bad_tapes, stats.chunks_lost),
            (0, 0, 0),
            "{}",
            path.display()
        );
    }
    println!("events as the schema says: {seen:?}");
    for kind in ["flow", "dicom", "hl7", "tls"] {
        assert!(seen.contains_key(kind), "no {kind} event was checked");
    }
}
