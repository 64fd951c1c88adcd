//! The report of an incident: what is known of an alert and all that belongs to it, as plain data.
//!
//! [`Incident::of`] makes it of [`Facts`] and of nothing else, so the same facts give the same report. Nothing in it
//! says that there was a breach: that is for people to find, and the report says by when.

mod assemble;
mod contacts;
mod containment;
mod content;
mod dates;
mod document;
mod done;
mod exchange;
mod facts;
mod limits;
mod recovery;
mod scope;
mod spread;
mod summary;
mod system;
mod timeline;

#[cfg(test)]
mod tests;

pub use contacts::{contacts, joined};
pub use containment::{Approval, Contained, Containment, End, Held, Measure};
pub use content::{About, Incident, Other, Provenance, VERSION};
pub use dates::{Dates, Factor};
pub use document::Law;
pub use exchange::Exchange;
pub use facts::{Collected, Evidence, Facts, Force, RuleNow, Seal};
pub use recovery::{Recovery, Step, Turn};
pub use spread::{Reached, Spread};
pub use system::{Amount, Part, Peer, ServiceSeen, System};
pub use timeline::{Good, Happened, What};

pub use scope::LEAD;
