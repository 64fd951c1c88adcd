//! Text from the network that is fit for a terminal.

use std::borrow::Cow;

use sensor_evidence::report::is_unseen;
use serde_json::Value;

/// A character that directs or hides text, so that it looks like another (Unicode Standard Annex 9, Unicode Technical
/// Report 36 section 2.2).
fn misleads(c: char) -> bool {
    is_unseen(c)
        // Fillers and what varies the letter before.
        || matches!(c,
            '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0080}'..='\u{e0fff}')
}

/// The text with U+FFFD for each character that misleads; lines and colours stay.
pub(super) fn seen(text: &str) -> Cow<'_, str> {
    without(text, misleads)
}

/// The same, and for each control character, on which a terminal would act.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    without(text, |c| c.is_control() || misleads(c))
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unwanted) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(unwanted, "\u{fffd}"))
}

/// Makes every text in an answer [`plain`].
pub(super) fn make_plain(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(plain) = plain(text) {
                *text = plain;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_plain),
        Value::Object(fields) => fields.values_mut().for_each(make_plain),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_misleads_is_shown_as_such() {
        assert_eq!(
            plain("A\u{1b}[2J\u{202e}B\u{200b}\r\n"),
            "A\u{fffd}[2J\u{fffd}B\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(
            seen("\u{1b}[31mA\u{1b}[0m\u{202e}B\n"),
            "\u{1b}[31mA\u{1b}[0m\u{fffd}B\n"
        );
        assert!(matches!(plain("Müller-CT 3 \u{2194} 中"), Cow::Borrowed(_)));
        let mut value = json!({"a": ["x\u{7}", {"b": "\u{2066}y"}], "n": 1});
        make_plain(&mut value);
        assert_eq!(
            value,
            json!({"a": ["x\u{fffd}", {"b": "\u{fffd}y"}], "n": 1})
        );
    }
}
