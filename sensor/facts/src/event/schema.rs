//! `docs/events.schema.json` is made from the types of the events: their fields, doc comments and attributes.
//!
//! `#[schemars(...)]` at a field says what its type does not, such as a pattern. After a change run
//! `UPDATE_DOCS=1 cargo test -p sensor-facts schema`.

use std::{borrow::Cow, collections::BTreeSet, env, fs, path::Path};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use sensor_common::{
    layer7::{Protocol, Reason},
    packet::Tunnel,
};
use serde_json::{Map, Value, json};

use super::{Event, EventType, SCHEMA_VERSION};
use crate::time::Time;

/// What an event of a connection always says about it.
const CONNECTION: [&str; 4] = ["flow_id", "src_ip", "dest_ip", "proto"];
/// The detectors are declared in a crate above this one, whose test puts their list into the schema.
const DETECTORS: &str = "/$defs/Finding/properties/detector/enum";

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "UTC, RFC 3339 with microseconds.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        })
    }
}

/// Stands for the field `skipped` of sessions, whose keys are the reasons of the kernel's readers.
pub(crate) struct Skipped;

impl JsonSchema for Skipped {
    fn schema_name() -> Cow<'static, str> {
        "Skipped".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let reasons: Vec<_> = Reason::ALL.iter().map(|one| one.label()).collect();
        json_schema!({
            "description": "Bytes that were not read, by reason.",
            "type": "object",
            "propertyNames": { "enum": reasons },
            "additionalProperties": { "type": "integer", "minimum": 0 },
        })
    }
}

/// The names of the protocols, as values of a field.
pub(super) fn protocols() -> Vec<&'static str> {
    Protocol::ALL.iter().filter_map(|one| one.name()).collect()
}

/// The name of an encapsulation, as an item of a field.
pub(super) fn tunnels() -> Value {
    let names: Vec<_> = Tunnel::ALL.iter().map(|one| one.name()).collect();
    json!({ "type": "string", "enum": names })
}

/// Doc comments as one line, without the marks of Markdown and of links in the code.
fn line(docs: &str) -> String {
    let text = docs.replace("[`", "").replace("`]", "").replace('`', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number has its bounds instead of the name of a Rust type.
fn bound(node: &mut Map<String, Value>) {
    let most = match node.get("format").and_then(Value::as_str) {
        Some("uint8") => Some(u64::from(u8::MAX)),
        Some("uint16") => Some(u64::from(u16::MAX)),
        Some("uint32") => Some(u64::from(u32::MAX)),
        Some("uint" | "uint64" | "int32" | "int64" | "double") => None,
        _ => return,
    };
    node.remove("format");
    if let Some(most) = most {
        node.entry("maximum").or_insert_with(|| json!(most));
    }
}

/// Fields that are unknown are left out and never null.
fn without_null(node: &mut Map<String, Value>) {
    let is_null = |one: &Value| *one == json!({ "type": "null" });
    if let Some(Value::Array(any)) = node.get_mut("anyOf") {
        any.retain(|one| !is_null(one));
        if let [Value::Object(only)] = any.as_mut_slice() {
            let only = std::mem::take(only);
            node.remove("anyOf");
            node.extend(only);
        }
    }
    if let Some(Value::Array(types)) = node.get_mut("type") {
        types.retain(|one| *one != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            node.insert("type".to_owned(), only);
        }
    }
}

/// Puts a definition into the object that adds properties to it, such as the tag of its enumeration.
fn merge(node: &mut Map<String, Value>, definitions: &Map<String, Value>) {
    let Some(name) = node.get("$ref").and_then(Value::as_str) else {
        return;
    };
    let Some(definition) = definitions.get(name.trim_start_matches("#/$defs/")) else {
        return;
    };
    if !node.contains_key("properties") {
        return;
    }
    node.remove("$ref");
    for (key, value) in definition.as_object().into_iter().flatten() {
        match (node.get_mut(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs.clone()),
            (Some(Value::Array(ours)), Value::Array(theirs)) => ours.extend(theirs.clone()),
            (Some(_), _) => {}
            (None, value) => {
                node.insert(key.clone(), value.clone());
            }
        }
    }
}

/// An object has no other properties than those that are named.
fn close(node: &mut Map<String, Value>, is_part: bool) {
    if !node.contains_key("properties") || is_part {
        return;
    }
    let key = if node.contains_key("oneOf") {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    node.insert(key.to_owned(), json!(false));
}

/// Goes through a schema. `is_part` says that it stands in an object that has more properties.
fn tidy(schema: &mut Value, is_part: bool, definitions: &Map<String, Value>) {
    let Value::Object(node) = schema else {
        return;
    };
    // What readers take for a field that an old version left out is of no use to who reads new events.
    node.remove("default");
    without_null(node);
    merge(node, definitions);
    bound(node);
    if let Some(Value::String(docs)) = node.get_mut("description") {
        *docs = line(docs);
    }
    if node.get("format") == Some(&json!("ip")) {
        node.remove("format");
        let formats = json!([{ "format": "ipv4" }, { "format": "ipv6" }]);
        node.insert("anyOf".to_owned(), formats);
    }
    let parts = node.contains_key("properties");
    close(node, is_part);
    for (key, value) in node.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(all)) => {
                for one in all.values_mut() {
                    tidy(one, false, definitions);
                }
            }
            ("oneOf" | "anyOf", Value::Array(all)) => {
                for one in all {
                    tidy(one, parts, definitions);
                }
            }
            ("prefixItems", Value::Array(all)) => {
                for one in all {
                    tidy(one, false, definitions);
                }
            }
            ("items" | "additionalProperties", one) => tidy(one, false, definitions),
            _ => {}
        }
    }
}

/// Removes the definitions that nothing refers to any more.
fn drop_unused(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let Some(Value::Object(definitions)) = schema.get_mut("$defs") else {
            return;
        };
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == before {
            return;
        }
    }
}

/// The event types that are about a connection.
fn of_connections() -> BTreeSet<&'static str> {
    let flow = EventType::Flow.label();
    protocols().into_iter().chain([flow]).collect()
}

fn current(old: &Value) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Event>();
    let mut schema = schema.to_value();
    let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    tidy(&mut schema, false, &definitions);
    drop_unused(&mut schema);
    schema["$id"] = json!(format!("urn:wardtap:events:{SCHEMA_VERSION}"));
    schema["title"] = json!("Wardtap event");
    schema["description"] = json!(
        "One line of JSON. Fields that are unknown are left out, never null. Described in events.md."
    );
    let of_connections = of_connections();
    for body in schema["oneOf"].as_array_mut().into_iter().flatten() {
        let kind = body["properties"]["event_type"]["const"].as_str();
        if kind.is_some_and(|kind| of_connections.contains(kind))
            && let Some(required) = body["required"].as_array_mut()
        {
            required.extend(CONNECTION.map(|name| json!(name)));
        }
    }
    schema["$defs"]["Finding"]["properties"]["detector"]["enum"] =
        old.pointer(DETECTORS).cloned().unwrap_or_default();
    schema
}

/// `UPDATE_DOCS=1` writes the schema instead of comparing it.
#[test]
fn the_schema_of_events_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.schema.json");
    let old = fs::read_to_string(&path).expect("the schema");
    let value: Value = serde_json::from_str(&old).expect("JSON");
    let new = format!("{:#}\n", current(&value));
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, new).expect("the schema is written");
        return;
    }
    assert!(
        old == new,
        "docs/events.schema.json is not current: run `UPDATE_DOCS=1 cargo test -p sensor-facts schema`"
    );
}
