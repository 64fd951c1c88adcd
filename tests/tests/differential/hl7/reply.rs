//! A receiver's acknowledgements, read strictly: receivers write plain blocks (HL7 v2.5.1 appendix C, MLLP).

/// Codes and control ids of MSA, in order.
///
/// # Errors
/// With what is not as receivers write it.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut all = Vec::new();
    for block in text.split_inclusive("\x1c\r") {
        let Some(message) = block
            .strip_prefix('\x0b')
            .and_then(|block| block.strip_suffix("\x1c\r"))
        else {
            return Err(format!("no block: {block:?}"));
        };
        let separator = message.chars().nth(3).ok_or("an empty message")?;
        let found = message
            .split('\r')
            .find(|segment| segment.starts_with("MSA"))
            .ok_or("no MSA")?;
        let mut fields = found.split(separator).skip(1);
        let mut field = || fields.next().unwrap_or_default().to_owned();
        all.push((field(), field()));
    }
    Ok(all)
}
