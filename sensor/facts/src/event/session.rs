//! What an event of any protocol says in the same terms: to the store, to reports and to lists.

use crate::time::Time;

/// The content of an event of a protocol's session.
///
/// An implementation gives what its protocol has; whoever reads events of all protocols asks for nothing else.
pub trait SessionEvent {
    /// When the session began; `None` if the event is about a part of a session, such as a single message.
    fn start(&self) -> Option<Time>;

    /// False if a later event has the whole session.
    fn is_final(&self) -> bool {
        true
    }

    /// The columns of the store's table of sessions.
    fn stored(&self) -> StoredSession<'_>;

    /// What was exchanged in the session, for reports.
    fn exchanged(&self) -> Exchanged;

    /// The session as a row of a list; `None` if it is not listed.
    fn listing(&self) -> Option<Listing>;
}

/// The columns of the store's table of sessions that depend on the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredSession<'a> {
    /// What happened, where a protocol has events of several kinds.
    pub kind: Option<String>,
    /// The name of the side that opened the session or sent the message.
    pub sender: Option<&'a str>,
    /// The name of the other side.
    pub receiver: Option<&'a str>,
    /// How the session went.
    pub outcome: Option<String>,
}

/// What was exchanged in a session. There is nothing of a patient in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// Nobody on the way could read it.
    pub encrypted: bool,
    /// The server refused the session.
    pub refused: bool,
    /// Parts of it were not seen.
    pub incomplete: bool,
    /// Bytes of content that the client sent.
    pub bytes_to_server: u64,
    /// Bytes of content that the server sent.
    pub bytes_to_client: u64,
    /// Kinds of commands or messages, with how often they were sent.
    pub messages: Vec<(String, u64)>,
    /// Classes of objects, or versions of the protocol.
    pub classes: Vec<String>,
    /// AE title of the client.
    pub calling_ae: Option<String>,
    /// AE title that the client asked for.
    pub called_ae: Option<String>,
    /// AE titles that studies were sent to.
    pub move_destinations: Vec<String>,
}

/// A session as a row of a list. All rows of a protocol have the same columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What the protocol's sessions are called, in the plural.
    pub title: &'static str,
    /// When the session began.
    pub start: Time,
    /// The columns after those of the connection, each with its heading.
    pub cells: Vec<(&'static str, Cell)>,
}

/// A cell of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text, or nothing.
    Text(Option<String>),
    /// A list of texts.
    List(Vec<String>),
    /// Names of the one side, and of the other.
    Pair(Vec<String>, Vec<String>),
    /// A number of bytes.
    Bytes(u64),
}

/// The word that an enumeration is in JSON.
pub(super) fn word(what: impl serde::Serialize) -> Option<String> {
    match serde_json::to_value(what) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    }
}

/// True for a count that is left out of the JSON.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}
