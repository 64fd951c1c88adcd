//! The store: what was seen and done, kept in the state directory for reports and people.
//!
//! `store.sqlite` has sessions, findings, alerts, rules, decisions, counters, devices and who talked to whom; flows go on
//! to Parquet files, one or more an hour. `docs/store.md` describes both. The store is a lane of the output, so one
//! thread writes it and nobody waits for it; what it could not take is in the lane's account. It is a convenience: the
//! evidence of what was done is the audit trail.

mod batch;
mod columnar;
pub mod config;
mod contacts;
mod database;
mod error;
mod flow;
mod history;
mod options;
mod reader;
mod recovery;
mod retention;
mod sink;
mod status;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use contacts::is_refused;
pub use error::StoreError;
pub use options::{Keep, StoreOptions};
pub use reader::Reader;
pub use sink::Store;
pub use status::{StoreHandle, StoreStatus};
