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

/// Letters of what is found that a table shows.
const SHOWN: usize = 160;

/// The begin of a text, up to a space: no address is cut.
fn begin(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(SHOWN) else {
        return text.to_owned();
    };
    let whole = text[..end].rfind(' ').unwrap_or(end);
    format!("{} \u{2026}", &text[..whole])
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
        Column::text("what", 0, |it| Value::Text(begin(&it.what))),
        Column::text("command", 0, |it| Value::Text(it.command.clone())),
    ];
    const FILTERS: &'static [Filter] = &[];

    fn subject(&self) -> Subject {
        Subject::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_space() {
        let address = "10.77.1.20:11112";
        for spaces in 0..40 {
            let text = format!(
                "{}{address} and what follows it",
                "word ".repeat(25) + &"x".repeat(spaces) + " "
            );
            let shown = begin(&text);
            assert!(shown.chars().count() <= SHOWN + 2);
            assert!(shown.contains(address) || !shown.contains("10."), "{shown}");
        }
        assert_eq!(begin("short"), "short");
    }
}
