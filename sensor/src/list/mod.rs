//! Lists: which columns a row has, which filters it knows, and how rows are chosen and sorted. The daemon and the command
//! line choose with the same code; the command line shows.

mod alerts;
mod choice;
mod column;
mod containment;
mod devices;
mod exceptions;
mod exposure;
mod filter;
mod host_lists;
mod incidents;
mod searched;
mod traffic;

pub use alerts::states;
pub use choice::{Choice, choose, no_column, sorted};
pub use column::{Column, Value, few, local};
pub use containment::dropped;
pub use devices::{clear_text, internet_last};
pub use filter::{FILTERS, Filter, Sort, moment};
pub use host_lists::{AeTitleRow, Hl7SenderRow, ae_titles, hl7_senders};
pub use incidents::incident_states;
pub use searched::{Hit, contains};
pub use traffic::{FlowRow, SessionRow};

use std::net::IpAddr;

use ipnet::IpNet;
use sensor_facts::{alert::Severity, time::Time};
use sensor_sessions::inventory::Role;
use serde::Serialize;

use crate::control::api::LIMIT_MAX;

/// A row of a list.
pub trait Item: Serialize + Sized + 'static {
    /// What the rows are called, in the plural.
    const WHAT: &'static str;
    /// All columns, in the order in which they are shown.
    const COLUMNS: &'static [Column<Self>];
    /// The filters that mean something here, by their names.
    const FILTERS: &'static [Filter];
    /// Rows that can be asked for at once.
    const MOST: usize = LIMIT_MAX;
    /// The states that a row can have.
    const STATES: &'static [&'static str] = &[];

    /// What filters ask about.
    fn subject(&self) -> Subject;
}

/// What filters ask about a row. What a row does not have is empty.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The addresses that it is about.
    pub addresses: Vec<IpAddr>,
    /// The subnets that it is about.
    pub subnets: Vec<IpNet>,
    /// Ethernet addresses and names that it is about.
    pub names: Vec<String>,
    /// The role whose devices it is about.
    pub role: Option<Role>,
    /// The first and the last moment of it.
    pub time: Option<(Time, Time)>,
    /// How urgent it is.
    pub severity: Option<Severity>,
    /// The detectors that it is about.
    pub detectors: Vec<String>,
    /// Its states: one word or more of [`Item::STATES`].
    pub states: Vec<&'static str>,
}
