//! Text of unknown origin, made fit to be shown.

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
