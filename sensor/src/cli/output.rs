//! What commands write: text for people, JSON for programs, and errors.

use std::io::{self, IsTerminal};

use serde::Serialize;

use super::{plain, rows};

/// Writes a value as JSON, one line.
pub(super) fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    write_out(&format!("{}\n", serde_json::to_string(value)?))
}

/// Writes what people read to standard output: nothing in it hides text or turns it around, and a terminal gets no line
/// that it would break within a word.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let text = plain::seen(text);
    match rows::width().filter(|_| io::stdout().is_terminal()) {
        Some(width) => write_out(&rows::folded(&text, width)),
        None => write_out(&text),
    }
}

/// Writes to standard output; a closed pipe is an error here, not a panic.
fn write_out(text: &str) -> anyhow::Result<()> {
    use io::Write;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The error with its causes; most of the library's errors name their cause themselves.
pub(super) fn told(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |mut text, cause| {
        let cause = cause.to_string();
        if text.is_empty() {
            return cause;
        }
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        text
    })
}

/// True if whoever reads the output has seen enough.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
