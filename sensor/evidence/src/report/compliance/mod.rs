//! The compliance report: what the sensor can show of a time, for those who evaluate a hospital's safeguards.
//!
//! It states evidence, each part with the paragraph of 45 CFR part 164 that it serves, and says what the sensor can't
//! know. Whether a safeguard is met is for people to judge: it never says so.

mod assemble;
mod content;
mod coverage;
mod document;
mod ephi;
mod facts;
mod incidents;
mod people;
#[cfg(test)]
mod tests;

pub use assemble::report;
pub use content::{
    Act, Acts, ClinicalDevice, Compliance, Coverage, Exchange, Exchanges, ExposureTop, Gap,
    Incident, Incidents, Inventory, Loss, Run, Settings, TrailState,
};
pub use document::document;
pub use facts::{Counted, ENTRIES_MAX, Facts, Trail};
