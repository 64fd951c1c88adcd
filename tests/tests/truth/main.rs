//! What the sensor says of the DICOM and HL7 captures against the tables that come with them, field by
//! field: all associations and all messages, none invented.

#[path = "../captures/mod.rs"]
mod captures;
mod dicom;
mod hl7;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use sensor_common::{packet::Layer, settings::Settings};
use sensor_facts::event::Event;
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};
use serde_json::Value;

/// A row of a table, by the names of its columns.
type Row = HashMap<String, String>;
/// Source address and port, destination address and port.
type Tuple = (String, u16, String, u16);

/// The events of a capture, as their JSON says.
fn events(path: &Path) -> Vec<Value> {
    let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out: Vec<Event> = Vec::new();
    let mut process = |layer, packet: &[u8], time| {
        engine.process(packet, layer, 0, time, &mut |record: &[u8]| {
            pipeline.ring_record(record, &mut out);
        });
        pipeline.tick(time, &mut out);
    };
    for (time, frame) in captures::frames(path) {
        process(Layer::Ethernet, &frame, time);
    }
    for (time, packet) in captures::packets(path, captures::LOOPBACK) {
        process(Layer::Ip, &packet[4..], time);
    }
    engine.drain(|key, flow, _| {
        pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut out);
    });
    pipeline.finish(&mut out);
    let stats = pipeline.stats();
    assert_eq!(stats.bad(), 0, "{}: {stats:?}", path.display());
    assert_eq!(stats.elements_malformed, 0, "{}: {stats:?}", path.display());
    out.iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect()
}

fn rows(table: &Path) -> Vec<Row> {
    let text = fs::read_to_string(table).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines
        .map(|line| {
            let values = line.split('\t').map(str::to_owned);
            names
                .iter()
                .map(|name| (*name).to_owned())
                .zip(values)
                .collect()
        })
        .collect()
}

/// Every table below a folder with its capture.
fn tables(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    captures::below(folder)
        .into_iter()
        .map(|capture| (capture.with_extension("truth.tsv"), capture))
        .filter(|(table, _)| table.is_file())
        .collect()
}

fn tuple(event: &Value) -> Tuple {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let port = |name: &str| u16::try_from(event[name].as_u64().unwrap_or(0)).unwrap();
    (
        text("src_ip"),
        port("src_port"),
        text("dest_ip"),
        port("dest_port"),
    )
}

#[test]
fn dicom_over_tls_is_known_as_encrypted() {
    let Some(root) = captures::root() else { return };
    let events = events(&root.join("dicom/labcap/dcmtk-tls-2762.pcap"));
    let tls: Vec<_> = events
        .iter()
        .filter(|event| event["event_type"] == "tls")
        .collect();
    assert!(!tls.is_empty(), "no TLS connection");
    for event in tls {
        let tls = &event["tls"];
        assert_eq!(tls["encrypted"], true);
        assert_eq!(tls["likely"], "dicom", "{event}");
        assert!(
            tls["version"]
                .as_str()
                .is_some_and(|version| version.starts_with("TLS 1."))
        );
        assert!(
            tls["cipher_suite"]
                .as_str()
                .is_some_and(|suite| suite.starts_with("TLS_"))
        );
        assert_eq!(tls["incomplete"], false, "{event}");
    }
    assert!(events.iter().all(|event| event["event_type"] != "dicom"));
}
