//! DICOM associations: titles, syntaxes, implementations, outcomes and commands.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Row, Tuple, captures, events, rows, tables, tuple};

/// By command, and whether the requestor asks.
type Commands = BTreeMap<(String, bool), Counts>;

#[derive(Clone, Debug, Default, PartialEq)]
struct Counts {
    requests: u64,
    responses: u64,
    /// Responses with the status success.
    successful: u64,
    /// Message IDs of the requests.
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
