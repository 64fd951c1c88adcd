//! HL7 messages: the fields of their headers and acknowledgements, and their lengths.

use std::collections::HashMap;

use serde_json::Value;

use super::{Tuple, captures, events, rows, tables, tuple};

/// Columns of the tables, and the fields of events that have the same.
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
