//! What counts as usual, what counts as suspicious, and when an alert is raised.

use std::net::IpAddr;

use sensor_facts::{
    section,
    setting::{Network, Span},
};
use serde::{Deserialize, Deserializer, de::Error};

section! {
    /// How Wardtap learns what is usual.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Baseline {
        /// The learning period: what a device does in this time after it was first seen is usual for it.
        pub learning: Span = Span::from_secs(7 * 86_400),
        /// After the learning period, something new becomes usual when it was first seen this long ago.
        pub settle: Span = Span::from_secs(86_400),
        /// When a device becomes suspect, what was learned about it in this time before is discarded.
        pub doubt: Span = Span::from_secs(3_600),
        /// And nothing is learned about it for this time.
        pub freeze: Span = Span::from_secs(3_600),
        /// The largest number of devices. Beyond it, the device seen longest ago is forgotten. A device takes about 11 kB
        /// with all that is stored about it.
        pub devices: u32 = 100_000 => unit "devices",
    }
}

section! {
    /// Thresholds of the detectors. docs/detection.md explains each detector.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Detect {
        /// Names of detectors that are switched off.
        pub off: Vec<String> = Vec::new(),
        /// Activity that is spread too thinly for the shorter times below is looked for within this time.
        pub slow_within: Span = Span::from_secs(6 * 3_600),
        /// This many refused or unanswered connection attempts, to different ports and hosts within `scan_within`,
        /// count as a scan.
        pub scan_targets: u32 = 20 => unit "attempts",
        /// The time for `scan_targets`.
        pub scan_within: Span = Span::from_secs(60),
        /// This many short connections to services that the client never used before, nearly all of one host, within
        /// `probes_within`, count as a probe.
        pub probes: u32 = 20 => unit "connections",
        /// The time for `probes`.
        pub probes_within: Span = Span::from_secs(2),
        /// This many hosts that the client never talked to before, asked by ICMP echo or ARP within `sweep_within`,
        /// count as a sweep.
        pub sweep_hosts: u32 = 15 => unit "hosts",
        /// The time for `sweep_hosts`.
        pub sweep_within: Span = Span::from_secs(60),
        /// This many short connections to a login service within `logins_within` count as guessing passwords. Between
        /// devices that know each other it takes ten times as many.
        pub logins: u32 = 6 => unit "connections",
        /// The time for `logins`.
        pub logins_within: Span = Span::from_secs(60),
        /// This many pairs of AE titles that a server did not recognise within `ae_rejects_within` count as guessing AE
        /// titles.
        pub ae_rejects: u32 = 5 => unit "pairs",
        /// The time for `ae_rejects`.
        pub ae_rejects_within: Span = Span::from_secs(60),
        /// This many DICOM servers that the client did not know and only asked by C-ECHO within `echo_within` count as
        /// a sweep.
        pub echo_servers: u32 = 5 => unit "servers",
        /// The time for `echo_servers`.
        pub echo_within: Span = Span::from_secs(600),
        /// This many C-FIND requests in 5 minutes are many, if they are also far from the usual.
        pub queries: u32 = 100 => unit "requests",
        /// This many C-MOVE and C-GET requests in an hour are many, if they are also far from the usual.
        pub pulls: u32 = 50 => unit "requests",
        /// This many accepted messages whose control ids come again within `replays_within` count as a replay.
        pub replays: u32 = 3 => unit "messages",
        /// The time for `replays`.
        pub replays_within: Span = Span::from_secs(600),
        /// This many negative acknowledgements in 5 minutes are many, if most acknowledgements are negative.
        pub naks: u32 = 10 => unit "acknowledgements",
        /// A message's time may differ by this much from what is usual for its sender.
        pub time_skew: Span = Span::from_secs(900),
        /// This many hosts that the client did not know, at SMB, RDP, SSH or `WinRM` within `fan_out_within`, count as
        /// spreading.
        pub fan_out_hosts: u32 = 5 => unit "hosts",
        /// The time for `fan_out_hosts`.
        pub fan_out_within: Span = Span::from_secs(600),
        /// This many connections with regular intervals and sizes, to a host outside or unknown, count as a beacon.
        pub beacon_connections: u32 = 12 => unit "connections",
        /// This many bytes in DNS queries of long names, in 5 minutes, count as a tunnel.
        pub dns_bytes: u64 = 50_000 => unit "bytes",
        /// This many bytes in an hour to hosts outside or unknown are many, if they are also far from the usual.
        pub exfiltration_bytes: u64 = 100_000_000 => unit "bytes",
        /// This many clients that ask one service in a minute and do not follow up count as a flood.
        pub flood_clients: u32 = 100 => unit "clients",
        /// An amount is unusual when it lies this many spreads above its median.
        pub unusual: f64 = 6.0 => unit "spreads",
        /// Networks that belong to the site, besides private ones.
        pub inside: Vec<Network> = Vec::new(),
    }
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

section! {
    /// When an alert is raised, and how often.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Alerting {
        /// The least confidence of an alert, from 0 to 1.
        #[serde(deserialize_with = "share")]
        pub confidence: f64 = 0.5 => unit "probability",
        /// An alert ends when nothing was added to it for this time.
        pub quiet: Span = Span::from_secs(3_600),
        /// How many alerts of low and medium severity are raised in a day for each 1,000 devices, and at least in all.
        /// The others are listed as suppressed. Alerts of high and critical severity are always raised.
        pub budget: u32 = 10 => unit "alerts a day",
        /// How long the label "benign" mutes such findings of the device.
        pub exception: Span = Span::from_secs(30 * 86_400),
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
