//! What stands as evidence: the audit trail, the store, reports, and pseudonyms for what leaves the site.

#![forbid(unsafe_code)]

pub mod audit;
pub mod pseudonym;
pub mod report;
pub mod store;
