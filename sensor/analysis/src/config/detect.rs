//! What counts as usual, what as suspicious, and what a person is told.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use sensor_facts::setting::Span;

/// How the usual is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// What a device does in this time from when it was first seen is its usual.
    pub learning: Span,
    /// Later, something new is usual when it was first seen so long ago.
    pub settle: Span,
    /// When a device is suspected, what was learnt of it in this time before is forgotten.
    pub doubt: Span,
    /// And nothing is learnt of it for this time.
    pub freeze: Span,
    /// Devices, at most; the one seen longest ago makes room.
    pub devices: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            learning: Span::from_secs(7 * 86_400),
            settle: Span::from_secs(86_400),
            doubt: Span::from_secs(3_600),
            freeze: Span::from_secs(3_600),
            devices: 100_000,
        }
    }
}

/// Thresholds of the detectors.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Detect {
    /// Detectors that are off, by name.
    pub off: Vec<String>,
    /// What is spread over a longer time, so that it does not show in the short ones, is looked for in this.
    pub slow_within: Span,
    /// Refused or unanswered connection attempts to so many ports and hosts are a scan.
    pub scan_targets: u32,
    /// In this time.
    pub scan_within: Span,
    /// So many short connections to services that were never used before, of which hardly any are of different
    /// hosts, are a probe.
    pub probes: u32,
    /// In this time.
    pub probes_within: Span,
    /// So many hosts that were never talked to before, asked by ICMP echo or ARP, are a sweep.
    pub sweep_hosts: u32,
    /// In this time.
    pub sweep_within: Span,
    /// So many short connections to a login service are guessing; of a pair that is known, ten times as many.
    pub logins: u32,
    /// In this time.
    pub logins_within: Span,
    /// So many pairs of AE titles that were not recognised are guessing.
    pub ae_rejects: u32,
    /// In this time.
    pub ae_rejects_within: Span,
    /// So many DICOM servers, asked C-ECHO only and not known to the client, are a sweep.
    pub echo_servers: u32,
    /// In this time.
    pub echo_within: Span,
    /// C-FIND requests in 5 minutes that are many, if they are also far from the usual.
    pub queries: u32,
    /// C-MOVE and C-GET requests in an hour that are many, if they are also far from the usual.
    pub pulls: u32,
    /// Control ids of accepted messages that came again are a replay.
    pub replays: u32,
    /// In this time.
    pub replays_within: Span,
    /// Negative acknowledgements in 5 minutes that are many, if they are most.
    pub naks: u32,
    /// A message's time may differ so much from what is usual of its sender.
    pub time_skew: Span,
    /// So many unknown hosts at SMB, RDP, SSH and `WinRM` are spreading.
    pub fan_out_hosts: u32,
    /// In this time.
    pub fan_out_within: Span,
    /// So many connections with regular intervals and sizes to an outside or unknown host are a beacon.
    pub beacon_connections: u32,
    /// Bytes in 5 minutes, in DNS queries of long names, that are a tunnel.
    pub dns_bytes: u64,
    /// Bytes in an hour to outside or unknown hosts that are much, if they are also far from the usual.
    pub exfiltration_bytes: u64,
    /// Clients in a minute that ask one service and do not follow up are a flood.
    pub flood_clients: u32,
    /// How many spreads an amount has to lie above its median to be unusual.
    pub unusual: f64,
    /// Networks that belong to the site, beside private ones.
    pub inside: Vec<sensor_facts::setting::Network>,
}

impl Detect {
    /// True for an address outside of the site.
    #[must_use]
    pub fn is_outside(&self, address: IpAddr) -> bool {
        let inside = match address {
            IpAddr::V4(it) => {
                it.is_private() || it.is_link_local() || it.is_loopback() || it.is_broadcast()
            }
            IpAddr::V6(it) => {
                it.is_unique_local() || it.is_unicast_link_local() || it.is_loopback()
            }
        };
        !inside
            && !address.is_multicast()
            && !address.is_unspecified()
            && !self.inside.iter().any(|net| net.0.contains(&address))
    }

    /// Spreads above the median from which on an amount that is large by itself is far from the usual too: half as
    /// many as for one that is not.
    #[must_use]
    pub fn far(&self) -> f64 {
        self.unusual / 2.0
    }
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            slow_within: Span::from_secs(6 * 3_600),
            scan_targets: 20,
            scan_within: Span::from_secs(60),
            probes: 20,
            probes_within: Span::from_secs(2),
            sweep_hosts: 15,
            sweep_within: Span::from_secs(60),
            logins: 6,
            logins_within: Span::from_secs(60),
            ae_rejects: 5,
            ae_rejects_within: Span::from_secs(60),
            echo_servers: 5,
            echo_within: Span::from_secs(600),
            queries: 100,
            pulls: 50,
            replays: 3,
            replays_within: Span::from_secs(600),
            naks: 10,
            time_skew: Span::from_secs(900),
            fan_out_hosts: 5,
            fan_out_within: Span::from_secs(600),
            beacon_connections: 12,
            dns_bytes: 50_000,
            exfiltration_bytes: 100_000_000,
            flood_clients: 100,
            unusual: 6.0,
            inside: Vec::new(),
        }
    }
}

/// When a person is told, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerting {
    /// Least confidence of an alert, 0 to 1.
    #[serde(deserialize_with = "share")]
    pub confidence: f64,
    /// An alert is over when nothing was added to it for so long.
    pub quiet: Span,
    /// Alerts of low and medium severity in a day for each 1,000 devices, at least as many at all; what comes
    /// beyond is kept back. High and critical ones never are.
    pub budget: u32,
    /// How long an exception lasts that the label "benign" makes.
    pub exception: Span,
}

impl Default for Alerting {
    fn default() -> Self {
        Self {
            confidence: 0.5,
            quiet: Span::from_secs(3_600),
            budget: 10,
            exception: Span::from_secs(30 * 86_400),
        }
    }
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("{number} is not from 0 to 1")))
    }
}
