//! What really happened in the traffic: the attacks, and when.

use std::net::IpAddr;

use sensor_facts::time::Time;

/// An attack, from its first to its last packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Its class, such as `port_scan`.
    pub class: String,
    /// Who did it; an alert about one of them in its time finds it.
    pub suspects: Vec<IpAddr>,
    /// Its victims; an alert that names one of them as a victim finds it too.
    pub victims: Vec<IpAddr>,
    /// When its first packet was sent.
    pub begin: Time,
    /// When its last packet was sent.
    pub end: Time,
}

/// What happened in all of the traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The attacks, by their begin.
    pub episodes: Vec<Episode>,
    /// Devices of the site.
    pub devices: usize,
    /// When the first packet was sent.
    pub begin: Time,
    /// When the last packet was sent.
    pub end: Time,
    /// From here on it counts: before, the site is learnt.
    pub counts_from: Time,
}
