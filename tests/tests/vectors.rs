//! Others' examples, sent over a TCP connection of the test's own: the PDUs of pynetdicom, whose comments
//! say what is in them, and the messages of the HL7 corpora, against a reading by plain splitting.

use std::{collections::HashMap, fs, path::Path};

use etherparse::PacketBuilder;
use sensor_common::{packet::Layer, settings::Settings};
use sensor_facts::event::Event;
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};
use serde_json::Value;

mod captures;

/// The events of a connection on which the client sends some bytes, then the server, in segments of
/// `segment` bytes.
fn events(client: &[u8], server: &[u8], segment: usize) -> Vec<Value> {
    let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut out: Vec<Event> = Vec::new();
    let mut time = 1_700_000_000_000_000_000;
    for (from_client, bytes) in [(true, client), (false, server)] {
        let (source, target, ports) = if from_client {
            ([10, 0, 0, 1], [10, 0, 0, 2], (50_000, 11_112))
        } else {
            ([10, 0, 0, 2], [10, 0, 0, 1], (11_112, 50_000))
        };
        let mut sequence = 1;
        for part in bytes.chunks(segment) {
            let mut frame = Vec::new();
            PacketBuilder::ethernet2([2; 6], [4; 6])
                .ipv4(source, target, 64)
                .tcp(ports.0, ports.1, sequence, 1_000)
                .ack(1)
                .write(&mut frame, part)
                .unwrap();
            sequence += u32::try_from(part.len()).unwrap();
            time += 1_000_000;
            engine.process(&frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
                pipeline.ring_record(record, &mut out);
            });
        }
    }
    engine.drain(|key, flow, _| {
        pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut out);
    });
    pipeline.finish(&mut out);
    out.iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect()
}

/// What the comments before a vector say, by name; names can come more than once.
type Said = HashMap<String, Vec<String>>;

/// The byte strings of a Python file: name, what the comments before it say, bytes.
fn vectors(file: &Path) -> Vec<(String, Said, Vec<u8>)> {
    let mut vectors = Vec::new();
    let mut said = Said::new();
    let mut bytes = Vec::new();
    let mut name = None;
    for line in fs::read_to_string(file).unwrap().lines() {
        let line = line.trim();
        if let Some((key, value)) = line
            .strip_prefix('#')
            .and_then(|line| line.split_once(": "))
        {
            said.entry(key.trim().to_owned())
                .or_default()
                .push(value.trim().to_owned());
        } else if let Some(begun) = line.strip_suffix(" = (") {
            name = Some(begun.to_owned());
        } else if let Some(literal) = line.strip_prefix("b\"").and_then(|l| l.strip_suffix('"')) {
            let mut rest = literal;
            while let Some(character) = rest.chars().next() {
                if let Some(hex) = rest.strip_prefix("\\x") {
                    bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
                    rest = &hex[2..];
                } else {
                    bytes.push(u8::try_from(character).unwrap());
                    rest = &rest[1..];
                }
            }
        } else if line == ")"
            && let Some(name) = name.take()
        {
            vectors.push((name, std::mem::take(&mut said), std::mem::take(&mut bytes)));
        }
    }
    vectors
}

#[test]
fn association_requests_say_what_their_comments_say() {
    let Some(root) = captures::root() else { return };
    let vectors = vectors(&root.join("dicom/vectors/encoded_pdu_items.py"));
    let accept = vectors
        .iter()
        .find(|(name, ..)| name == "a_associate_ac")
        .unwrap();
    let mut checked = 0;
    for (name, said, request) in vectors.iter().filter(|(name, said, _)| {
        name.starts_with("a_associate_rq") && said.contains_key("Called AET")
    }) {
        for segment in [1_460, 50, 1] {
            let events = events(request, &accept.2, segment);
            let dicom = events.iter().map(|event| &event["dicom"]);
            let closed: Vec<_> = dicom.filter(|dicom| dicom["type"] == "closed").collect();
            let [dicom] = closed[..] else {
                panic!("{name}: {events:?}")
            };
            let said = |key: &str| said.get(key).map_or(&[][..], Vec::as_slice);
            assert_eq!(dicom["called_ae"], said("Called AET")[0], "{name}");
            assert_eq!(dicom["calling_ae"], said("Calling AET")[0], "{name}");
            let requestor = &dicom["requestor"];
            // One comment says 16384, where the bytes say 3f fe.
            let max_pdu = match name.as_str() {
                "a_associate_rq_user_id_ext_neg" => "16382",
                _ => said("Max Length Received")[0].as_str(),
            };
            assert_eq!(requestor["max_pdu"].to_string(), max_pdu, "{name}");
            assert_eq!(
                requestor["class_uid"],
                said("Implementation Class UID")[0],
                "{name}"
            );
            assert_eq!(
                requestor["version_name"],
                said("Implementation Version Name")[0],
                "{name}"
            );
            let contexts = dicom["contexts"].as_array().unwrap();
            let uids = |key: &str| -> Vec<String> {
                let first = |text: &String| text.split(' ').next().unwrap().to_owned();
                said(key).iter().map(first).collect()
            };
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let abstract_syntaxes: Vec<_> = contexts
                .iter()
                .map(|context| text(&context["abstract_syntax"]["uid"]))
                .collect();
            assert_eq!(abstract_syntaxes, uids("Abstract Syntax"), "{name}");
            let mut transfer_syntaxes: Vec<_> = contexts
                .iter()
                .flat_map(|context| context["transfer_syntaxes"].as_array().unwrap())
                .map(|syntax| text(&syntax["uid"]))
                .collect();
            // A comment need not keep their order.
            let mut expected = uids("Transfer Syntax");
            transfer_syntaxes.sort();
            expected.sort();
            assert_eq!(transfer_syntaxes, expected, "{name}");
            if let Some(invoked) = said("Max operations invoked").first() {
                assert_eq!(
                    requestor["async_operations"][0].to_string(),
                    *invoked,
                    "{name}"
                );
            }
            if let Some(scp) = said("SCP Role").first() {
                assert_eq!(dicom["roles"][0]["scp"], scp == "1", "{name}");
                assert_eq!(
                    dicom["roles"][0]["scu"],
                    said("SCU Role")[0] == "1",
                    "{name}"
                );
            }
            for key in ["Primary field", "Secondary field"] {
                for secret in said(key).iter().filter(|secret| *secret != "(none)") {
                    let all = serde_json::to_string(&events).unwrap();
                    assert!(!all.contains(secret.as_str()), "{name}: {secret} in {all}");
                }
            }
            checked += 1;
        }
    }
    println!("{checked} association requests are as their comments say");
    assert!(checked >= 15, "only {checked}");
}

const MESSAGE: [(usize, &str); 9] = [
    (3, "sending_application"),
    (4, "sending_facility"),
    (5, "receiving_application"),
    (6, "receiving_facility"),
    (7, "message_time"),
    (9, "message_type"),
    (10, "control_id"),
    (11, "processing_id"),
    (12, "version"),
];

#[test]
fn messages_of_the_corpora_are_read_as_by_plain_splitting() {
    let Some(root) = captures::root() else { return };
    let mut checked = 0;
    for entry in fs::read_dir(root.join("corpora/hl7")).unwrap() {
        for file in fs::read_dir(entry.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let content = fs::read(&path).unwrap();
            let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
            let text = String::from_utf8_lossy(content)
                .replace("\r\n", "\r")
                .replace('\n', "\r");
            // A file can hold several messages.
            let messages: Vec<String> = text.split_inclusive('\r').fold(
                Vec::new(),
                |mut messages: Vec<String>, segment| {
                    if segment.starts_with("MSH") {
                        messages.push(String::new());
                    }
                    if let Some(message) = messages.last_mut() {
                        message.push_str(segment);
                    }
                    messages
                },
            );
            for message in messages {
                let block = [b"\x0b", message.as_bytes(), b"\x1c\r"].concat();
                let header = message.split('\r').next().unwrap();
                let separator = char::from(header.as_bytes()[3]);
                let fields: Vec<_> = header.split(separator).collect();
                for segment in [1_460, 90, 1] {
                    let events = events(&block, b"", segment);
                    let found: Vec<_> = events
                        .iter()
                        .filter(|event| event["hl7"]["type"] == "message")
                        .collect();
                    let [event] = found[..] else {
                        panic!("{}: {events:?}", path.display())
                    };
                    let hl7 = &event["hl7"];
                    for (number, name) in MESSAGE {
                        let expected = fields.get(number - 1).copied().unwrap_or_default();
                        let value = hl7[name].as_str().unwrap_or_default();
                        assert_eq!(value, expected, "{}: {name}", path.display());
                    }
                    assert_eq!(hl7["bytes"], message.len(), "{}", path.display());
                    assert_eq!(hl7["complete"], true, "{}", path.display());
                    // What stands in the other segments is nowhere.
                    let all = serde_json::to_string(&events).unwrap();
                    let private = message.split('\r').skip(1).flat_map(|s| s.split(separator));
                    for private in private.filter(|private| private.len() > 12) {
                        if !header.contains(private) && !message.contains("\rMSA") {
                            assert!(!all.contains(private), "{}: {private}", path.display());
                        }
                    }
                }
                checked += 1;
            }
        }
    }
    println!("{checked} messages of the corpora are read as by plain splitting");
    assert!(checked > 130, "only {checked}");
}
