//! The parts of `docs/events.schema.json` that are made from the lists of fields, and the test that they are current.

use std::{borrow::Cow, env, fs, path::Path};

use serde_json::{Value, json};

use super::{FlowHalf, FlowReport, FlowState, FlowWhy};
use crate::time::Time;

/// A type whose values the schema can describe.
pub(super) trait Described {
    /// The schema of a value.
    fn schema() -> Value;
}

/// A named part of the schema, as text: its properties stay in the order of their list.
pub(super) struct Definition(String);

/// A property of an object.
pub(super) struct Property {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// Doc comments as one line without marks.
fn text(docs: &str) -> String {
    docs.replace('`', "").trim().to_owned()
}

fn indented(value: &Value) -> String {
    format!("{value:#}").replace('\n', "\n  ")
}

impl Definition {
    pub(super) fn of_object(docs: &str, properties: &[Property]) -> Self {
        let required: Vec<_> = properties
            .iter()
            .filter(|one| one.required)
            .map(|one| one.name)
            .collect();
        let properties: Vec<_> = properties
            .iter()
            .map(|one| {
                format!(
                    "    \"{}\": {}",
                    one.name,
                    indented(&one.schema).replace('\n', "\n  ")
                )
            })
            .collect();
        Self(format!(
            "{{\n  \"description\": {},\n  \"type\": \"object\",\n  \"properties\": {{\n{}\n  }},\n  \"required\": {},\n  \
             \"additionalProperties\": false\n}}",
            json!(text(docs)),
            properties.join(",\n"),
            indented(&json!(required)),
        ))
    }

    pub(super) fn of_words(docs: &str, words: &[(&str, &str)]) -> Self {
        let words: Vec<_> = words
            .iter()
            .map(|(word, docs)| json!({ "const": word, "description": text(docs) }))
            .collect();
        Self(format!(
            "{{\n  \"description\": {},\n  \"oneOf\": {}\n}}",
            json!(text(docs)),
            indented(&json!(words)),
        ))
    }
}

/// A reference to a named part of the schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The schema of a property: that of its type, narrowed and described.
pub(super) fn property(mut schema: Value, docs: &str, narrow: Value) -> Value {
    schema["description"] = json!(text(docs));
    if let Value::Object(narrow) = narrow {
        for (key, value) in narrow {
            schema[key] = value;
        }
    }
    schema
}

macro_rules! described {
    ($($type:ty = $schema:tt)+) => {
        $(impl Described for $type {
            fn schema() -> Value {
                json!($schema)
            }
        })+
    };
}

described! {
    u8 = { "type": "integer", "minimum": 0, "maximum": (u8::MAX) }
    u16 = { "type": "integer", "minimum": 0, "maximum": (u16::MAX) }
    u32 = { "type": "integer", "minimum": 0, "maximum": (u32::MAX) }
    u64 = { "type": "integer", "minimum": 0 }
    i32 = { "type": "integer" }
    bool = { "type": "boolean" }
    String = { "type": "string" }
    Cow<'static, str> = { "type": "string" }
    Time = { "$ref": "#/$defs/Time" }
}

impl<T: Described> Described for Option<T> {
    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Described, const N: usize> Described for [T; N] {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema(), "minItems": N, "maxItems": N })
    }
}

/// Puts a definition in the place of the one that the schema has under the name.
fn replace(schema: &str, name: &str, definition: &Definition) -> String {
    let begin = format!("\n    \"{name}\": {{");
    let end = "\n    }";
    let (before, rest) = schema
        .split_once(&begin)
        .unwrap_or_else(|| panic!("the schema has no definition of {name}"));
    let (_, after) = rest.split_once(end).expect("an end of the definition");
    let definition = definition.0.replace('\n', "\n    ");
    format!("{before}\n    \"{name}\": {definition}{after}")
}

/// `UPDATE_DOCS=1` writes the definitions instead of comparing them.
#[test]
fn the_schema_of_flows_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.schema.json");
    let old = fs::read_to_string(&path).expect("the schema");
    let current = [
        ("FlowReport", FlowReport::definition()),
        ("FlowHalf", FlowHalf::definition()),
        ("FlowWhy", FlowWhy::definition()),
        ("FlowState", FlowState::definition()),
    ];
    let new = current
        .iter()
        .fold(old.clone(), |schema: String, (name, definition)| {
            replace(&schema, name, definition)
        });
    let value = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    if value(&old) == value(&new) {
        return;
    }
    assert!(
        env::var_os("UPDATE_DOCS").is_some(),
        "docs/events.schema.json is not current: run `UPDATE_DOCS=1 cargo test -p sensor-facts schema`"
    );
    fs::write(&path, new).expect("the schema is written");
}
