//! A text that is looked for in everything.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Column, Filter, Item, Subject, Value};

/// True if the text stands in any word of the value, in small letters or capitals.
pub fn contains<T: Serialize>(value: &T, text: &str) -> bool {
    let text = text.to_lowercase();
    serde_json::to_value(value).is_ok_and(|value| stands_in(&value, &text))
}

fn stands_in(value: &Json, text: &str) -> bool {
    match value {
        Json::String(word) => word.to_lowercase().contains(text),
        Json::Array(items) => items.iter().any(|one| stands_in(one, text)),
        Json::Object(fields) => fields.values().any(|one| stands_in(one, text)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Something that a text was found in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// What it is: a device, an alert.
    pub kind: String,
    /// By what it is called.
    pub id: String,
    /// What it says, in words.
    pub what: String,
    /// The command that shows it.
    pub command: String,
}

impl Item for Hit {
    const WHAT: &'static str = "hits";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("kind", 0, |it| Value::Text(it.kind.clone())),
        Column::new("id", 0, |it| Value::Text(it.id.clone())),
        Column::text("what", 0, |it| Value::Text(it.what.clone())),
        Column::new("command", 1, |it| Value::Text(it.command.clone())),
    ];
    const FILTERS: &'static [Filter] = &[];

    fn subject(&self) -> Subject {
        Subject::default()
    }
}
