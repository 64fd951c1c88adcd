//! What nearly every detector needs, for `use crate::detect::prelude::*`.

pub(super) use sensor_facts::{
    finding::{AttackRole, Basis},
    observation::{Mac, Observation, What, is_host, is_negative},
    target::{Service, Transport},
    time::Time,
    words::several,
};

pub(super) use super::{
    about::{About, Starts},
    detector::Detector,
    draft::{Draft, contribution},
    reported::Reported,
    shared,
    site::Site,
    threshold::{Values, thresholds},
    window::{Settled, Window, at_least, largest, several_at_least},
};
pub(super) use crate::baseline::{FIND, Fact, Feature, Length, PULLS, is_lasting, opened_tcp};
