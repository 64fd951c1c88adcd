//! The features of a flow as models see them.
//!
//! Order and meaning are [`NAMES`]; another order, unit or meaning is another [`SCHEMA`]. Means, deviations
//! and shares are computed here in `f64`, from the kernel's integer sums (`sum(x^2) / n - mean^2` cancels in
//! `f32`). Logarithms, quantiles and scales are the model's own business: they are inside its graph.

use std::net::SocketAddr;

use sensor_common::{layer7::Protocol, packet::protocol};
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    time::Time,
};
use serde::{Deserialize, Serialize};

/// Names the features, their order and their units.
pub const SCHEMA: &str = "flow-v1";

/// How many features there are.
pub const FEATURES: usize = 46;

/// The features, in their order. `out` is from client to server, `in` the other way. Lengths are of IP packets,
/// in bytes; `_s` are seconds; `_share` are parts of one; `is_` and what follows from the protocol are 0 or 1.
/// All are finite and at least 0.
pub const NAMES: [&str; FEATURES] = [
    "duration_s",
    "out_packets",
    "out_bytes",
    "out_payload",
    "out_length_mean",
    "out_length_sd",
    "out_length_max",
    "out_interval_mean_s",
    "out_interval_sd_s",
    "out_interval_max_s",
    "out_retransmissions",
    "out_push",
    "out_syn",
    "out_fin",
    "out_rst",
    "out_small_share",
    "out_large_share",
    "out_fast_share",
    "out_slow_share",
    "in_packets",
    "in_bytes",
    "in_payload",
    "in_length_mean",
    "in_length_sd",
    "in_length_max",
    "in_interval_mean_s",
    "in_interval_sd_s",
    "in_interval_max_s",
    "in_retransmissions",
    "in_push",
    "in_syn",
    "in_fin",
    "in_rst",
    "in_small_share",
    "in_large_share",
    "in_fast_share",
    "in_slow_share",
    "is_tcp",
    "is_udp",
    "is_icmp",
    "is_dicom",
    "is_hl7",
    "is_tls",
    "is_system_port",
    "is_answered",
    "is_reset",
];

/// A flow's features, and whose they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// When the flow was over, or reported.
    pub time: Time,
    /// Who opened it.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// The features, as [`NAMES`].
    #[serde(with = "list")]
    pub values: [f32; FEATURES],
}

impl Row {
    /// The row of an observation, if it is of a flow with packets.
    #[must_use]
    pub fn of(seen: &Observation) -> Option<Self> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        if facts.fragments || facts.to_server.packets + facts.to_client.packets == 0 {
            return None;
        }
        Some(Self {
            time: seen.time,
            client: seen.client,
            server: seen.server,
            protocol: seen.protocol,
            values: values(facts, seen.protocol, seen.server.port()),
        })
    }
}

/// An array of that many is a list to serde.
mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::FEATURES;

    pub(super) fn serialize<S: Serializer>(
        values: &[f32; FEATURES],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        values.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[f32; FEATURES], D::Error> {
        let values = Vec::deserialize(from)?;
        values
            .try_into()
            .map_err(|values: Vec<f32>| D::Error::invalid_length(values.len(), &"46 features"))
    }
}

fn values(facts: &FlowFacts, ip_protocol: u8, port: u16) -> [f32; FEATURES] {
    let mut values = [0.0; FEATURES];
    let out = half(&facts.to_server);
    let back = half(&facts.to_client);
    let flag = |is: bool| f64::from(u8::from(is));
    let rest = [
        flag(ip_protocol == protocol::TCP),
        flag(ip_protocol == protocol::UDP),
        flag(matches!(ip_protocol, protocol::ICMP | protocol::ICMP6)),
        flag(facts.app == Protocol::Dicom),
        flag(facts.app == Protocol::Hl7),
        flag(facts.app == Protocol::Tls),
        // RFC 6335, section 6.
        flag(port != 0 && port < 1_024),
        flag(facts.answered()),
        flag(facts.reset),
    ];
    let all = std::iter::once(seconds(facts.duration))
        .chain(out)
        .chain(back)
        .chain(rest);
    for (slot, value) in values.iter_mut().zip(all) {
        *slot = narrow(value);
    }
    values
}

/// Bins of [`Half::sizes`] that hold packets below 128 bytes, and from where they hold 1,024 and more.
const SMALL_BINS: usize = 2;
const LARGE_FROM: usize = 5;
/// Bins of [`Half::intervals`] that hold times below 1.024 ms, and from where they hold 1.05 s and more.
const FAST_BINS: usize = 5;
const SLOW_FROM: usize = 10;

fn half(half: &Half) -> [f64; 18] {
    let packets = number(half.packets);
    let (length_mean, length_sd) =
        moments(packets, number(half.bytes), number(half.length_squares));
    let intervals = (packets - 1.0).max(0.0);
    let (interval_mean, interval_sd) = moments(
        intervals,
        number(half.duration()) / 1e3,
        number(half.interval_squares),
    );
    let share = |bins: &[u32], of: f64| {
        let sum: u64 = bins.iter().map(|bin| u64::from(*bin)).sum();
        if of > 0.0 {
            (number(sum) / of).min(1.0)
        } else {
            0.0
        }
    };
    [
        packets,
        number(half.bytes),
        number(half.payload),
        length_mean,
        length_sd,
        f64::from(half.length_max),
        interval_mean / 1e6,
        interval_sd / 1e6,
        f64::from(half.interval_max) / 1e6,
        f64::from(half.retransmissions),
        f64::from(half.push),
        f64::from(half.syn),
        f64::from(half.fin),
        f64::from(half.rst),
        share(&half.sizes[..SMALL_BINS], packets),
        share(&half.sizes[LARGE_FROM..], packets),
        share(&half.intervals[..FAST_BINS], intervals),
        share(&half.intervals[SLOW_FROM..], intervals),
    ]
}

/// Mean and standard deviation of `n` values from their sum and sum of squares.
fn moments(n: f64, sum: f64, squares: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = sum / n;
    (mean, (squares / n - mean * mean).max(0.0).sqrt())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "2^53 packets or bytes are not reached"
)]
fn number(value: u64) -> f64 {
    value as f64
}

fn seconds(nanoseconds: u64) -> f64 {
    number(nanoseconds) / 1e9
}

#[expect(clippy::cast_possible_truncation, reason = "models take f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(facts: FlowFacts) -> Observation {
        Observation {
            time: Time(1),
            protocol: protocol::TCP,
            client: SocketAddr::from(([10, 0, 0, 1], 40_000)),
            server: SocketAddr::from(([10, 0, 0, 2], 104)),
            macs: [[0; 6]; 2],
            what: What::Flow(Box::new(facts)),
        }
    }

    fn value(row: &Row, name: &str) -> f32 {
        let at = NAMES.iter().position(|one| *one == name).expect(name);
        row.values[at]
    }

    #[test]
    fn features_are_where_their_names_are() {
        // Lengths 100 and 300; one interval of 2 s.
        let mut to_server = Half {
            packets: 2,
            bytes: 400,
            payload: 320,
            last: 2_000_000_000,
            length_squares: 10_000 + 90_000,
            length_max: 300,
            interval_squares: 4_000_000_000_000,
            interval_max: 2_000_000,
            push: 1,
            syn: 1,
            ..Half::default()
        };
        to_server.sizes[1] = 1;
        to_server.sizes[3] = 1;
        to_server.intervals[10] = 1;
        let row = Row::of(&observation(FlowFacts {
            app: Protocol::Dicom,
            duration: 2_000_000_000,
            to_server,
            ..FlowFacts::default()
        }))
        .expect("it has packets");
        for (name, expected) in [
            ("duration_s", 2.0),
            ("out_packets", 2.0),
            ("out_bytes", 400.0),
            ("out_payload", 320.0),
            ("out_length_mean", 200.0),
            ("out_length_sd", 100.0),
            ("out_length_max", 300.0),
            ("out_interval_mean_s", 2.0),
            ("out_interval_sd_s", 0.0),
            ("out_interval_max_s", 2.0),
            ("out_push", 1.0),
            ("out_syn", 1.0),
            ("out_small_share", 0.5),
            ("out_large_share", 0.0),
            ("out_slow_share", 1.0),
            ("out_fast_share", 0.0),
            ("in_packets", 0.0),
            ("is_tcp", 1.0),
            ("is_dicom", 1.0),
            ("is_system_port", 1.0),
            ("is_answered", 0.0),
        ] {
            assert!((value(&row, name) - expected).abs() < 1e-6, "{name}");
        }
    }

    #[test]
    fn no_feature_is_negative_or_infinite() {
        let most = Half {
            packets: 3,
            bytes: u64::MAX,
            payload: u64::MAX,
            last: u64::MAX,
            length_squares: 1,
            interval_squares: u64::MAX,
            interval_max: u32::MAX,
            sizes: [u32::MAX; 8],
            ..Half::default()
        };
        let row = Row::of(&observation(FlowFacts {
            duration: u64::MAX,
            to_server: most,
            ..FlowFacts::default()
        }))
        .expect("it has packets");
        assert!(row.values.iter().all(|one| one.is_finite() && *one >= 0.0));
    }

    #[test]
    fn what_is_no_flow_has_no_row() {
        assert_eq!(Row::of(&observation(FlowFacts::default())), None);
        let refused = Observation {
            what: What::ConnectionRefused,
            ..observation(FlowFacts::default())
        };
        assert_eq!(Row::of(&refused), None);
    }
}
