//! The JSON-lines events: one schema, versioned, named after Suricata's EVE where it has the thing.
//!
//! `docs/events.schema.json` is the schema (JSON Schema 2020-12), `docs/events.md` explains it. One
//! event is one line; fields that are unknown are left out, never null. The source of an event's
//! addresses is the side that opened the conversation.

mod alert;
mod audit;
mod body;
mod envelope;
pub mod flow;
mod incident;
mod json;
mod protocol;
#[cfg(test)]
pub(crate) mod schema;
mod session;

pub use alert::AlertReport;
pub use audit::AuditReport;
pub use body::{Body, EventType};
pub use envelope::{Event, SCHEMA_VERSION};
pub use flow::{FlowHalf, FlowReport, FlowState, FlowWhy};
pub use incident::IncidentReport;
pub use protocol::*;
pub use session::{Cell, Exchanged, Listing, SessionEvent, StoredSession};
