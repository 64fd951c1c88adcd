//! Slow requests: one client holds many connections of a server open with hardly any data (ATT&CK T1499.002).

use std::net::SocketAddr;

use sensor_common::packet::protocol;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "slow_requests",
    techniques: &["T1499.002"],
    finds: "one client holds many connections of a server open at once with hardly any data",
    starts: Starts::AtOnce,
    wrong_if: &[
        "a program keeps many idle connections ready, or the server was overloaded and did not answer",
    ],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows],
    new: |values| Box::new(SlowRequests::new(values)),
};

thresholds! {
    /// This many connections of one client to one service, open at the same time, that last long and carry hardly any data
    /// count as exhaustion.
    slow_connections: count = 50, 5..=1_024;
    /// A connection is long when it lasts at least this long.
    slow_lasts: seconds = 10, 1..=3_600;
    /// The server sends no more than this in such a connection.
    slow_answer: bytes = 1_000, 0..=100_000;
    /// The client sends no more than this for each second that it lasts.
    slow_rate: bytes = 200, 1..=100_000;
}

/// Client's port, begin and end, seconds.
type Held = (u16, i64, i64);

pub(super) struct SlowRequests {
    held: Window<(SocketAddr, Held)>,
    own: Thresholds,
}

impl SlowRequests {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            // What ends within this time may have been open at once.
            held: Window::new(
                shared::Thresholds::of(values).report_again,
                own.slow_connections,
            ),
            own,
        }
    }
}

/// The most connections that are open at once.
fn at_once(all: &[(SocketAddr, Held)], server: SocketAddr) -> usize {
    let mut steps: Vec<(i64, i64)> = all
        .iter()
        .filter(|(to, _)| *to == server)
        .flat_map(|(_, (_, begin, end))| [(*begin, 1), (*end, -1)])
        .collect();
    steps.sort_unstable();
    let (mut now, mut most) = (0_i64, 0);
    for (_, step) in steps {
        now += step;
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or(0)
}

impl Detector for SlowRequests {
    fn evicted(&self) -> u64 {
        self.held.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let lasts = facts.duration / 1_000_000_000;
        if seen.protocol != protocol::TCP
            || facts.midstream
            || facts.app.is_clinical()
            || !facts.established(seen.protocol)
            || lasts < self.own.slow_lasts.as_nanos() / 1_000_000_000
            || facts.to_server.payload == 0
            || facts.to_server.payload > self.own.slow_rate.saturating_mul(lasts)
            || facts.to_client.payload > self.own.slow_answer
        {
            return None;
        }
        let end = seen.time.0 / 1_000_000_000;
        let held = (
            seen.client.port(),
            end.saturating_sub(lasts.cast_signed()),
            end,
        );
        let who = site.who(seen.client.ip());
        let all = self.held.add(who, (seen.server, held), seen.time)?;
        let open = at_once(&all, seen.server);
        let of_all = all.iter().filter(|(to, _)| *to == seen.server);
        let shortest = of_all.map(|(_, (_, begin, end))| end - begin).min();
        if open < usize::try_from(self.own.slow_connections).unwrap_or(usize::MAX) {
            return None;
        }
        Some(Draft {
            confidence: 0.75,
            evidence: format!(
                "{open} connections to TCP port {} of {}, open at the same time, each for {} s or more and with an answer of {} bytes at most",
                seen.server.port(),
                seen.server.ip(),
                shortest.unwrap_or_default(),
                self.own.slow_answer
            ),
            ..Draft::about_server(seen)
        })
    }
}
