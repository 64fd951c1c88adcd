//! What the sensor says of the DICOM and HL7 captures against the tables that come with them, field by
//! field: all associations and all messages, none invented.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use sensor::{
    capture::PortableEngine,
    event::Event,
    kernel::TableSizes,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};
use sensor_common::{packet::Layer, settings::Settings};
use serde_json::Value;

mod captures;

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

/// By command, and whether the requestor asks.
type Commands = BTreeMap<(String, bool), Counts>;

#[derive(Clone, Debug, Default, PartialEq)]
struct Counts {
    requests: u64,
    responses: u64,
    /// Of the responses.
    successful: u64,
    /// Of the requests.
    message_ids: Vec<u64>,
}

/// An association as the table has it.
#[derive(Debug, Default)]
struct Expected {
    tuple: Tuple,
    titles: (String, String),
    abstract_syntaxes: Vec<String>,
    /// Maximum PDU, class UID, version name of the requestor, then of the acceptor.
    implementations: [Option<(u64, String, String)>; 2],
    reject_reason: Option<u64>,
    outcome: &'static str,
    commands: Commands,
}

fn expected(rows: &[Row]) -> Vec<Expected> {
    let mut streams: BTreeMap<u32, Expected> = BTreeMap::new();
    for row in rows {
        let get = |name: &str| row.get(name).map_or("", String::as_str);
        let expected = streams
            .entry(get("tcp.stream").parse().unwrap())
            .or_default();
        let source = (get("ip.src"), get("tcp.srcport").parse().unwrap());
        if expected.outcome.is_empty() {
            let port = get("tcp.dstport").parse().unwrap();
            expected.tuple = (
                source.0.to_owned(),
                source.1,
                get("ip.dst").to_owned(),
                port,
            );
            expected.outcome = "cut";
        }
        let from_requestor = (expected.tuple.0.as_str(), expected.tuple.1) == source;
        let implementation = || {
            Some((
                get("dicom.max_pdu_len").parse().unwrap(),
                get("dicom.userinfo.uid").to_owned(),
                get("dicom.userinfo.version").to_owned(),
            ))
        };
        for kind in get("dicom.pdu.type").split(';') {
            match kind {
                "0x01" => {
                    let title = |name| get(name).trim().to_owned();
                    expected.titles = (
                        title("dicom.assoc.ae.calling"),
                        title("dicom.assoc.ae.called"),
                    );
                    expected.implementations[0] = implementation();
                    expected.abstract_syntaxes = get("dicom.pctx.abss.syntax")
                        .split(';')
                        .filter_map(|named| named.rsplit_once('('))
                        .map(|(_, uid)| uid.trim_end_matches(')').to_owned())
                        .collect();
                }
                "0x02" => expected.implementations[1] = implementation(),
                "0x03" => {
                    expected.outcome = "rejected";
                    expected.reject_reason =
                        Some(get("dicom.assoc.reject.reason").parse().unwrap());
                }
                "0x06" => expected.outcome = "released",
                "0x07" => expected.outcome = "aborted",
                _ => {}
            }
        }
        // The Info column says a text once though several PDUs of a frame have it: those are pending
        // responses, each with its data set.
        let parts: Vec<_> = get("_ws.col.Info")
            .split(", ")
            .filter(|part| *part != "P-DATA")
            .collect();
        let pdus = get("dicom.pdu.type").split(';').count();
        let untold = (pdus.saturating_sub(parts.len()) / 2) as u64;
        for part in parts {
            let (name, rest) = part.split_once(' ').unwrap_or((part, ""));
            if let Some(command) = name.strip_suffix("-RQ") {
                let key = (command.to_owned(), from_requestor);
                let counts = expected.commands.entry(key).or_default();
                counts.requests += 1;
                let id = rest.strip_prefix("ID=").and_then(|id| id.split(' ').next());
                counts.message_ids.push(id.unwrap().parse().unwrap());
            } else if let Some(command) = name.strip_suffix("-RSP") {
                let key = (command.to_owned(), !from_requestor);
                let counts = expected.commands.entry(key).or_default();
                let pending = !rest.contains('(');
                counts.responses += 1 + if pending { untold } else { 0 };
                counts.successful += u64::from(rest.contains("(Success)"));
            }
        }
    }
    streams.into_values().collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

fn compare(name: &str, expected: &Expected, event: &Value) {
    let dicom = &event["dicom"];
    let at = format!("{name}, {:?}", expected.tuple);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert_eq!(text(&dicom["outcome"]), expected.outcome, "{at}");
    assert_eq!(
        (text(&dicom["calling_ae"]), text(&dicom["called_ae"])),
        expected.titles,
        "{at}"
    );
    let empty = Vec::new();
    let contexts = dicom["contexts"].as_array().unwrap_or(&empty);
    let syntaxes: Vec<String> = contexts
        .iter()
        .map(|context| text(&context["abstract_syntax"]["uid"]))
        .collect();
    assert_eq!(syntaxes, expected.abstract_syntaxes, "{at}");
    for (side, expected) in ["requestor", "acceptor"]
        .iter()
        .zip(&expected.implementations)
    {
        let side = &dicom[side];
        let found = (!side.is_null()).then(|| {
            (
                number(side, "max_pdu"),
                text(&side["class_uid"]),
                text(&side["version_name"]),
            )
        });
        assert_eq!(found, *expected, "{at}");
    }
    assert_eq!(
        dicom["reject"]["reason"].as_u64(),
        expected.reject_reason,
        "{at}"
    );
    assert_eq!(dicom["midstream"], false, "{at}");
    assert_eq!(dicom["incomplete"], false, "{at}");
    let mut commands = Commands::new();
    for command in dicom["commands"].as_array().unwrap_or(&empty) {
        let key = (text(&command["command"]), command["scu"] == "requestor");
        let counts = commands.entry(key).or_default();
        let responses = &command["responses"];
        let kinds = ["success", "pending", "warning", "failure", "cancel"];
        counts.requests += number(command, "requests");
        counts.responses += kinds
            .iter()
            .map(|kind| number(responses, kind))
            .sum::<u64>();
        counts.successful += number(responses, "success");
        counts.message_ids.push(number(command, "first_message_id"));
        counts.message_ids.push(number(command, "last_message_id"));
    }
    for (key, counts) in &mut commands {
        // The event has the first and the last id of each SOP class: all of them must be in the table.
        if let Some(expected) = expected.commands.get(key) {
            assert!(
                counts
                    .message_ids
                    .iter()
                    .all(|id| expected.message_ids.contains(id)),
                "{at}: {key:?}"
            );
            assert_eq!(
                counts.message_ids.iter().min(),
                expected.message_ids.iter().min(),
                "{at}: {key:?}"
            );
            assert_eq!(
                counts.message_ids.iter().max(),
                expected.message_ids.iter().max(),
                "{at}: {key:?}"
            );
            counts.message_ids.clone_from(&expected.message_ids);
        }
    }
    assert_eq!(commands, expected.commands, "{at}");
}

#[test]
fn dicom_associations_are_those_of_the_tables() {
    let Some(root) = captures::root() else { return };
    let mut associations = 0;
    for folder in ["dicom", "attacks/labcap"] {
        for (table, capture) in tables(&root.join(folder)) {
            let name = capture.file_name().unwrap().to_string_lossy().into_owned();
            let expected = expected(&rows(&table));
            let mut found: HashMap<Tuple, Vec<Value>> = HashMap::new();
            let mut opened = 0;
            for event in events(&capture) {
                match event["dicom"]["type"].as_str() {
                    Some("opened") => opened += 1,
                    Some(_) => found.entry(tuple(&event)).or_default().push(event),
                    None => {}
                }
            }
            let accepted = expected.iter().filter(|e| e.implementations[1].is_some());
            assert_eq!(opened, accepted.count(), "{name}: accepted associations");
            associations += expected.len();
            for expected in expected {
                let Some(events) = found.get_mut(&expected.tuple).filter(|e| !e.is_empty()) else {
                    panic!("{name}: association not found: {expected:?}");
                };
                compare(&name, &expected, &events.remove(0));
            }
            let invented: Vec<_> = found.into_values().flatten().collect();
            assert!(
                invented.is_empty(),
                "{name}: not in the table: {invented:?}"
            );
        }
    }
    println!("{associations} associations are as their tables say");
    assert!(associations > 50, "only {associations} associations");
}

const HL7_FIELDS: [(&str, &str); 11] = [
    ("msh3_app", "sending_application"),
    ("msh4_fac", "sending_facility"),
    ("msh5_app", "receiving_application"),
    ("msh6_fac", "receiving_facility"),
    ("msh7_time", "message_time"),
    ("msh9_type", "message_type"),
    ("msh10_control_id", "control_id"),
    ("msh11_proc", "processing_id"),
    ("msh12_version", "version"),
    ("msa1", "ack_code"),
    ("msa2", "ack_control_id"),
];

#[test]
fn hl7_messages_are_those_of_the_tables() {
    let Some(root) = captures::root() else { return };
    let (mut messages, mut negatives) = (0, 0);
    for (table, capture) in tables(&root.join("hl7")) {
        let name = capture.file_name().unwrap().to_string_lossy().into_owned();
        let rows = rows(&table);
        // By direction of a connection, in order: the sender first.
        let mut found: HashMap<Tuple, Vec<Value>> = HashMap::new();
        let mut sessions = 0;
        for event in events(&capture) {
            let hl7 = &event["hl7"];
            if hl7["type"] == "session" {
                sessions += 1;
            } else if hl7["type"] == "message" {
                let (a, b, c, d) = tuple(&event);
                let sender = if hl7["to_server"] == true {
                    (a, b, c, d)
                } else {
                    (c, d, a, b)
                };
                found.entry(sender).or_default().push(event);
            }
        }
        let mut streams: Vec<_> = rows.iter().map(|row| &row["tcp_stream"]).collect();
        streams.sort();
        streams.dedup();
        assert_eq!(sessions, streams.len(), "{name}: sessions");
        messages += rows.len();
        negatives += usize::from(rows.is_empty());
        for row in rows {
            let sender = (
                row["src"].clone(),
                row["sport"].parse().unwrap(),
                row["dst"].clone(),
                row["dport"].parse().unwrap(),
            );
            let Some(events) = found.get_mut(&sender).filter(|events| !events.is_empty()) else {
                panic!("{name}: message not found: {row:?}");
            };
            let event = events.remove(0);
            let hl7 = &event["hl7"];
            for (column, field) in HL7_FIELDS {
                let expected = row.get(column).map_or("", String::as_str);
                let value = hl7[field].as_str().unwrap_or_default();
                assert_eq!(value, expected, "{name}: {field} of {row:?}");
            }
            assert_eq!(
                hl7["complete"],
                row["mllp_complete"] == "1",
                "{name}: {row:?}"
            );
            // The table counts the framing too: start block, end block and carriage return.
            let framed: u64 = row["mllp_len"].parse().unwrap();
            assert_eq!(hl7["bytes"].as_u64(), Some(framed - 3), "{name}: {row:?}");
        }
        let invented: Vec<_> = found.into_values().flatten().collect();
        assert!(
            invented.is_empty(),
            "{name}: not in the table: {invented:?}"
        );
    }
    println!("{messages} messages are as their tables say; {negatives} captures have none");
    assert!(messages > 100, "only {messages} messages");
    assert!(negatives >= 4, "only {negatives} captures without HL7");
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
