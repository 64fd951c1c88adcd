//! Text that has to stay where it is, and looking for parts of it where it must not be.

use std::collections::HashSet;

/// Letters in a row by which a part of the text is known.
const PART: usize = 5;

/// A text that must not get out.
#[derive(Clone, Debug)]
pub struct Secret<'a> {
    parts: HashSet<&'a [u8]>,
    /// True of the letters that a part begins with.
    first: [bool; 256],
}

impl<'a> Secret<'a> {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let parts: HashSet<_> = text.as_bytes().windows(PART).collect();
        let mut first = [false; 256];
        for part in &parts {
            first[usize::from(part[0])] = true;
        }
        Self { parts, first }
    }

    /// The first five letters in a row of the text that are in `bytes`.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        bytes
            .windows(PART)
            .find(|window| self.first[usize::from(window[0])] && self.parts.contains(*window))
            .map(|window| String::from_utf8_lossy(window).into_owned())
    }
}
