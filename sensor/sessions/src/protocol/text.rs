//! Text of unknown origin, made fit to be shown.

use std::fmt::Write as _;

/// Text of unknown origin, fit to be shown: UTF-8 with replacement characters for what is not, and for
/// control characters; at most `max` characters.
#[must_use]
pub(crate) fn text(bytes: &[u8], max: usize) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .take(max)
        .collect()
}

/// An AE title without its padding (PS3.5 section 6.2, VR AE), which some sides make of NUL: what stands behind a NUL is no
/// part of it. What is not printable ASCII is shown as `\xHH`, and a backslash twice, so that different titles stay different.
#[must_use]
pub(crate) fn title(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut shown = String::new();
    for byte in bytes.trim_ascii() {
        match byte {
            b'\\' => shown.push_str("\\\\"),
            b' '..=b'~' => shown.push(char::from(*byte)),
            _ => {
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
    }
    shown
}

/// [`text`] without the padding of DICOM: spaces around it, and zero bytes after it.
#[must_use]
pub(crate) fn padded_text(bytes: &[u8], max: usize) -> String {
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last + 1);
    let (bytes, _) = bytes.split_at(end);
    let start = bytes.iter().position(|byte| *byte != b' ').unwrap_or(0);
    text(bytes.get(start..).unwrap_or_default(), max)
}
