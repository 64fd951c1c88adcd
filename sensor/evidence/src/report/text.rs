//! Text in a report: what hosts say of themselves is in it, and an attacker chooses what a host says.

use std::fmt;

/// Text of one line in which every character is seen for what it is: controls, and what changes the direction of
/// writing or has no width, stand as `\u{202e}`; a line feed is a space.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    /// As it is shown, without a format's own escapes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if it is to stay on one line: a number, a date, an address.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.0.len() <= 15
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Characters of Unicode's categories Cf and Zl, Zp that are in no word: they hide text or turn it around (UTS 39, UAX 9).
#[must_use]
pub const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

impl<T: AsRef<str>> From<T> for Text {
    fn from(text: T) -> Self {
        let text = text.as_ref();
        let mut seen = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\n' | '\t' => seen.push(' '),
                c if c.is_control() || is_unseen(c) => seen.extend(c.escape_unicode()),
                c => seen.push(c),
            }
        }
        Self(seen)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden() {
        let text = Text::from("CT\u{202e}1\u{0}\n\u{200b}é→");
        assert_eq!(text.as_str(), "CT\\u{202e}1\\u{0} \\u{200b}é→");
    }
}
