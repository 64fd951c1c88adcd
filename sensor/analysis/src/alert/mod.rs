//! Alerts: from findings to episodes, with exceptions, budget and labels.
//!
//! Findings about one device that come close together are one episode and one alert. Its confidence is the probability
//! that at least one of its detectors is right, assuming that they are independent; of those that only say that something
//! is new, the surest counts. Below a threshold the alert is not raised.

mod book;
mod budget;
mod case;
mod exceptions;
mod labels;
mod muting;
mod standing;
mod telling;

pub use book::{AlertUpdate, Alerts};
pub(crate) use case::FLOWS_MAX;
pub use case::{Case, CaseFlow, Cases};
pub use exceptions::{Exception, NewException};
pub use standing::{Headline, Standing};
