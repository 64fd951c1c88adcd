//! Incidents: which alerts and hints belong to one attack.
//!
//! Each alert is compared with what open incidents are about, by tables whose keys are devices and Ethernet addresses, so
//! an alert costs the same however many there are. `docs/incidents.md` has the rules.

mod book;
mod change;
mod contacts;
mod index;
mod parts;
mod story;
mod ties;
mod told;

pub use book::Incidents;
pub(crate) use book::{Found, Knows};
pub use change::no_incident;
pub use story::{Claim, Step, Story};
pub use told::{IncidentUpdate, Standing};
