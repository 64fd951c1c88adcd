//! The characters that structure a message, and its escape sequences.

/// The characters that structure a message: MSH-1 and MSH-2 (HL7 v2.5.1 section 2.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separators {
    field: u8,
    pub(super) component: u8,
    pub(super) repetition: u8,
    escape: u8,
    pub(super) subcomponent: u8,
}

impl Default for Separators {
    fn default() -> Self {
        Self::new(b'|', b"^~\\&")
    }
}

impl Separators {
    /// Those that `encoding` lacks are the usual ones.
    pub(super) fn new(field: u8, encoding: &[u8]) -> Self {
        let at = |place: usize, usual| encoding.get(place).copied().unwrap_or(usual);
        Self {
            field,
            component: at(0, b'^'),
            repetition: at(1, b'~'),
            escape: at(2, b'\\'),
            subcomponent: at(3, b'&'),
        }
    }

    /// The first part of a field's or a component's text.
    pub(super) fn first(self, bytes: &[u8], of: impl Fn(Self) -> u8) -> &[u8] {
        bytes
            .split(|byte| *byte == of(self))
            .next()
            .unwrap_or_default()
    }

    /// A text without its escape sequences (HL7 v2.5.1 section 2.7): two sides may write the same with other separators.
    pub(super) fn plain(self, text: &str) -> String {
        let escape = char::from(self.escape);
        if !text.contains(escape) {
            return text.to_owned();
        }
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(escape) {
            plain.push_str(before);
            let Some((sequence, behind)) = after.split_once(escape) else {
                plain.push(escape);
                rest = after;
                break;
            };
            match sequence.as_bytes() {
                b"F" => plain.push(char::from(self.field)),
                b"S" => plain.push(char::from(self.component)),
                b"T" => plain.push(char::from(self.subcomponent)),
                b"R" => plain.push(char::from(self.repetition)),
                b"E" => plain.push(escape),
                [b'X', hex @ ..] => hex.chunks(2).for_each(|pair| {
                    let digits = str::from_utf8(pair).unwrap_or_default();
                    if let Ok(byte) = u8::from_str_radix(digits, 16) {
                        plain.push(char::from(byte));
                    }
                }),
                _ => {
                    plain.push(escape);
                    plain.push_str(sequence);
                    plain.push(escape);
                }
            }
            rest = behind;
        }
        plain.push_str(rest);
        plain
    }
}
