//! A line of JSON being written: into memory that is there already, a few bytes at a time.
//!
//! What is written is short: a key, a number, a time. So each is put down whole, as an array of fixed length of which a
//! part counts; what follows overwrites the rest. This is one comparison and a few stores, where a copy of unknown length is a
//! call.

use std::{
    io::{self, Write as _},
    mem,
    net::IpAddr,
};

use serde::Serialize;

use crate::time::{self, Time};

/// Memory that is made ready at a time, in bytes; a flow event takes about 1,300.
const ROOM: usize = 2_048;
/// Longest key, with quotation marks and colon.
const KEY: usize = 32;
/// Ten to the eighth: numbers are written eight digits at a time.
const EIGHT_DIGITS: u64 = 100_000_000;

/// A key with its quotation marks and colon, and their length.
#[derive(Clone, Copy)]
pub(in crate::event) struct Key([u8; KEY], usize);

impl Key {
    /// The key of a field. At compile time: one that is too long, or that would have to be escaped, does not compile.
    pub(in crate::event) const fn new(name: &str) -> Self {
        let name = name.as_bytes();
        let mut text = [0; KEY];
        text[0] = b'"';
        let mut at = 0;
        while at < name.len() {
            assert!(
                name[at].is_ascii_alphanumeric() || name[at] == b'_',
                "a key of letters, digits and underscores"
            );
            text[at + 1] = name[at];
            at += 1;
        }
        text[at + 1] = b'"';
        text[at + 2] = b':';
        Self(text, at + 3)
    }
}

/// Appends to a vector. Each value is written with the comma after it, which the end of what it is in takes back.
pub(in crate::event) struct Line<'a> {
    to: &'a mut Vec<u8>,
    /// The vector, while it is written to: its length is that of the memory that is ready.
    bytes: Vec<u8>,
    /// So much of it is written.
    at: usize,
}

impl<'a> Line<'a> {
    /// At the end of `to`, which is empty until the line is [done](Self::done).
    pub(in crate::event) fn new(to: &'a mut Vec<u8>) -> Self {
        let bytes = mem::take(to);
        let at = bytes.len();
        Self { to, bytes, at }
    }

    /// Gives the vector back with what was written.
    pub(in crate::event) fn done(mut self) {
        self.bytes.truncate(self.at);
        *self.to = self.bytes;
    }

    /// Puts down what `fill` makes of the next bytes, of which the first `count` are kept.
    #[inline]
    fn fill<const N: usize>(&mut self, count: usize, fill: impl FnOnce(&mut [u8; N])) {
        let rest = self.bytes.get_mut(self.at..);
        if let Some(slot) = rest.and_then(|rest| rest.first_chunk_mut()) {
            fill(slot);
        } else {
            let mut slot = [0; N];
            fill(&mut slot);
            self.grow(&slot);
        }
        self.at += count;
    }

    /// Puts down a text of known length.
    #[inline]
    pub(in crate::event) fn put<const N: usize>(&mut self, text: [u8; N]) {
        self.fill(N, |slot| *slot = text);
    }

    /// Puts down any bytes.
    #[inline]
    fn copy(&mut self, text: &[u8]) {
        match self.bytes.get_mut(self.at..self.at + text.len()) {
            Some(slot) => slot.copy_from_slice(text),
            None => self.grow(text),
        }
        self.at += text.len();
    }

    /// Makes room, with `text` at its beginning.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, text: &[u8]) {
        self.bytes.truncate(self.at);
        self.bytes.extend_from_slice(text);
        self.bytes.resize(self.bytes.len() + ROOM, 0);
    }

    /// A key; its value has to follow.
    #[inline]
    pub(in crate::event) fn key(&mut self, Key(text, length): Key) {
        self.fill(length, |slot| *slot = text);
    }

    /// Ends an object or a list whose beginning was [put](Self::put), in place of the last comma in it.
    #[inline]
    pub(in crate::event) fn end(&mut self, with: u8) {
        self.finish();
        self.put([with, b',']);
    }

    /// Ends the line: what was written last is one value, after which no comma belongs.
    #[inline]
    pub(in crate::event) fn finish(&mut self) {
        if self.last() == Some(b',') {
            self.at -= 1;
        }
    }

    #[inline]
    fn last(&self) -> Option<u8> {
        self.bytes.get(self.at.checked_sub(1)?).copied()
    }

    #[inline]
    pub(in crate::event) fn flag(&mut self, value: bool) {
        if value {
            self.put(*b"true,");
        } else {
            self.put(*b"false,");
        }
    }

    #[inline]
    pub(in crate::event) fn number(&mut self, value: u64) {
        self.digits(value, b',');
    }

    pub(in crate::event) fn signed(&mut self, value: i64) {
        if value < 0 {
            self.put([b'-']);
        }
        self.number(value.unsigned_abs());
    }

    /// A number, and the byte after it.
    #[inline]
    fn digits(&mut self, value: u64, after: u8) {
        let [digit, ..] = value.to_le_bytes();
        if value < 10 {
            self.put([b'0' | digit, after]);
        } else {
            self.long_number(value);
            self.put([after]);
        }
    }

    #[inline(never)]
    fn long_number(&mut self, value: u64) {
        match u32::try_from(value) {
            Ok(small) if value < EIGHT_DIGITS => {
                // Not from the digits, for which the next write would have to wait.
                let count = small.checked_ilog10().unwrap_or(0) + 1;
                let text = eight_digits(value) >> (64 - 8 * count);
                self.fill(count as usize, |slot| *slot = text.to_le_bytes());
            }
            _ => {
                self.long_number(value / EIGHT_DIGITS);
                self.put(eight_digits(value % EIGHT_DIGITS).to_le_bytes());
            }
        }
    }

    /// A text.
    #[inline]
    pub(in crate::event) fn text(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.put([b'"']);
            self.copy(text.as_bytes());
            self.put(*b"\",");
        } else {
            self.escaped(text);
        }
    }

    /// Anything, as [`serde_json`] writes it.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub(in crate::event) fn any(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *self, value)?;
        self.put([b',']);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn escaped(&mut self, text: &str) {
        // Writing to memory can't fail, and a text always has a JSON form.
        let _ = self.any(&text);
    }

    pub(in crate::event) fn time(&mut self, time: Time) {
        const LENGTH: usize = time::LENGTH + 3;
        self.fill(LENGTH, |slot: &mut [u8; LENGTH]| {
            let [first, text @ .., last, comma] = slot;
            (*first, *last, *comma) = (b'"', b'"', b',');
            time.write(text);
        });
    }

    pub(in crate::event) fn address(&mut self, address: IpAddr) {
        self.put([b'"']);
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                for byte in [a, b, c] {
                    self.digits(byte.into(), b'.');
                }
                self.digits(d.into(), b'"');
            }
            IpAddr::V6(address) => {
                // Writing to memory can't fail.
                let _ = write!(self, "{address}\"");
            }
        }
        self.put([b',']);
    }
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.copy(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.copy(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digits of a number below 10^8, zeros before it included; the first in the lowest byte. All at once, by
/// multiplication in parts of a word: halves, quarters, eighths.
#[inline]
const fn eight_digits(value: u64) -> u64 {
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    // A hundredth of each, exact below 10^4; then a tenth of each, exact below 100.
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let quarters = hundreds | ((halves - 100 * hundreds) << 16);
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | ((quarters - 10 * tens) << 8)) | 0x3030_3030_3030_3030
}

/// True if no byte of it has to be escaped: control characters, quotation mark and backslash (RFC 8259 section 7).
#[inline]
fn is_plain(text: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = 0x80 * EACH;
    const QUOTE: u64 = 0x22;
    const BACKSLASH: u64 = 0x5c;
    // Subtraction sets the highest bit of a byte that is less, or that is zero; the bytes beyond ASCII, which have it, are
    // left out. It borrows from the next byte only where it has found one.
    let found = |word: u64| {
        let quote = (word ^ (EACH * QUOTE)).wrapping_sub(EACH);
        let backslash = (word ^ (EACH * BACKSLASH)).wrapping_sub(EACH);
        (word.wrapping_sub(EACH * 0x20) | quote | backslash) & !word & HIGHEST
    };
    let (words, rest) = text.as_chunks();
    let words = words
        .iter()
        .fold(0, |all, word| all | found(u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(false, |all, byte| {
        all | matches!(byte, 0..0x20 | b'"' | b'\\')
    });
    words == 0 && !rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut to = b"before".to_vec();
        let mut line = Line::new(&mut to);
        write(&mut line);
        line.finish();
        line.done();
        let text = String::from_utf8(to).expect("text");
        text.strip_prefix("before")
            .expect("what was there")
            .to_owned()
    }

    #[test]
    fn all_eight_digits() {
        for value in (0..EIGHT_DIGITS).step_by(9_973).chain(0..20_000) {
            let text = eight_digits(value).to_le_bytes();
            assert_eq!(text.as_slice(), format!("{value:08}").as_bytes());
        }
    }

    #[test]
    fn numbers_at_each_length() {
        for power in 0..20 {
            let power = 10_u64.pow(power);
            for value in [power - 1, power, power + 1, power / 2 * 3] {
                assert_eq!(written(|line| line.number(value)), value.to_string());
            }
        }
        for value in [u64::MAX, u64::MAX - 1, 1 << 53] {
            assert_eq!(written(|line| line.number(value)), value.to_string());
        }
        for value in [0, -1, -9, -10, 1_460, -1_460, i64::MIN, i64::MAX] {
            assert_eq!(written(|line| line.signed(value)), value.to_string());
        }
    }

    #[test]
    fn every_byte_at_every_place_of_a_word() {
        for byte in 0..128_u8 {
            for before in ["", "é", "abcdefgh", "ü\u{7f}\u{10ffff}x"] {
                for length in 0..9 {
                    let text = format!("{before}{}{}!", "x".repeat(length), char::from(byte));
                    let expected = serde_json::to_string(&text).expect("JSON");
                    assert_eq!(written(|line| line.text(&text)), expected);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text(text in any::<String>()) {
            prop_assert_eq!(written(|line| line.text(&text)), serde_json::to_string(&text).expect("JSON"));
        }

        #[test]
        fn any_number(value: u64, shift in 0..64_u32) {
            let value = value >> shift;
            prop_assert_eq!(written(|line| line.number(value)), value.to_string());
        }

        #[test]
        fn any_address(address: IpAddr) {
            prop_assert_eq!(written(|line| line.address(address)), format!("\"{address}\""));
        }
    }
}
