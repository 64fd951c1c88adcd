//! What names a message's sender, and the message.

use std::fs;

use sensor_facts::event::Event;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The host's name; empty if it has none.
    pub host: String,
    /// Process id.
    pub process: u32,
}

impl Origin {
    /// This process.
    #[must_use]
    pub fn here() -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname");
        Self {
            host: host.unwrap_or_default().trim().to_owned(),
            process: std::process::id(),
        }
    }

    /// This program's version.
    pub const VERSION: &str = env!("CARGO_PKG_VERSION");
}

/// Names an event by what it says: 32 hex digits, the same wherever and how often it is sent.
pub(super) fn message_id(event: &Event) -> String {
    let mut hasher = blake3::Hasher::new();
    // Hashing can't fail, and an event always has a JSON form.
    let _ = serde_json::to_writer(&mut hasher, event);
    let mut id = hasher.finalize().to_hex().to_string();
    id.truncate(32);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::alert;

    #[test]
    fn an_event_has_one_id_and_another_has_another() {
        let event = alert();
        let mut later = event.clone();
        later.timestamp.0 += 1_000;
        assert_eq!(message_id(&event), message_id(&event.clone()));
        assert_ne!(message_id(&event), message_id(&later));
        assert_eq!(message_id(&event).len(), 32);
    }
}
