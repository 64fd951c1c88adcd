//! Strange flows: far more flows of a device than usual are strange to the anomaly model (ATT&CK T1071).
//!
//! A single flow never makes a finding: one in a thousand is strange by the meaning of the word, and of a device that
//! does rare things all day it is more. A window of five minutes is compared with the device's own past: so many strange
//! ones among so many flows, flows to hosts that the device did not know counting twice, and of one service at one host
//! no more than a few, since flows that are alike are strange together. The finding is a hint: by itself it
//! opens no alert.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
};

use lru::LruCache;

use super::{Basis, Contribution, Detector, Draft, Site, is_host, once::Once};
use crate::{
    baseline::Kind,
    model::{FEATURES, Ranges, STRANGE, Scored},
    response::{Service, Transport},
};

/// Devices whose windows and past are kept.
const DEVICES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// Strange flows of one service at one host that count in a window.
const ALIKE: u32 = 3;
/// Services at hosts that are told apart in a window.
const PLACES: usize = 256;
/// The past of a device that says something: flows and windows.
const PAST_FLOWS: f64 = 30.0;
const PAST_WINDOWS: u32 = 3;
/// The site's rate counts as so many flows of the device.
const BORROWED: f64 = 200.0;
/// And the model's own as so many of the site.
const ASSUMED: f64 = 1_000.0;
/// What a window that was found counts in the past.
const DOUBTED: f64 = 0.05;
/// Flows of the past after which the old ones count half.
const FULL: f64 = 20_000.0;
/// Strange flows that a window must have, and how improbable they must be, as a power of ten.
const LEAST: u32 = 2;
const IMPROBABLE: f64 = 6.0;
/// The strangest flows that are explained, and features of each.
const SHOWN: usize = 3;
const FEATURES_SHOWN: usize = 4;

/// A strange flow.
struct Strange {
    server: SocketAddr,
    protocol: u8,
    score: f32,
    p: f32,
    values: [f32; FEATURES],
    contrib: Option<Box<[f32; FEATURES]>>,
}

#[derive(Default)]
struct Window {
    flows: u32,
    /// Strange flows, each place up to [`ALIKE`], by whether the host was known.
    known: u32,
    unknown: u32,
    places: HashMap<SocketAddr, u32>,
    strangest: Vec<Strange>,
}

impl Window {
    fn take(&mut self, one: &Scored) {
        self.flows += 1;
        if one.p > STRANGE.max(one.p_floor) {
            return;
        }
        if self.places.len() < PLACES || self.places.contains_key(&one.row.server) {
            let count = self.places.entry(one.row.server).or_default();
            *count += 1;
            if *count <= ALIKE {
                let strange = if one.new_peer {
                    &mut self.unknown
                } else {
                    &mut self.known
                };
                *strange += 1;
            }
        }
        let at = self
            .strangest
            .iter()
            .position(|other| other.score < one.score)
            .unwrap_or(self.strangest.len());
        if at < SHOWN {
            self.strangest.insert(
                at,
                Strange {
                    server: one.row.server,
                    protocol: one.row.protocol,
                    score: one.score,
                    p: one.p,
                    values: one.row.values,
                    contrib: one.contrib.clone(),
                },
            );
            self.strangest.truncate(SHOWN);
        }
    }

    /// Strange flows and flows as they are weighed.
    fn weighed(&self) -> (f64, f64) {
        let strange = f64::from(self.known + 2 * self.unknown);
        (strange, f64::from(self.flows + self.unknown).max(strange))
    }
}

/// What went before.
#[derive(Clone, Copy, Default)]
struct Past {
    strange: f64,
    flows: f64,
    windows: u32,
}

impl Past {
    fn add(&mut self, strange: f64, flows: f64) {
        self.strange += strange;
        self.flows += flows;
        self.windows = self.windows.saturating_add(1);
        if self.flows > FULL {
            self.strange /= 2.0;
            self.flows /= 2.0;
        }
    }
}

/// How improbable at least `strange` of `flows` are at a rate, as a negative power of ten: Chernoff's bound, with
/// which they are at most so probable.
fn improbable(strange: f64, flows: f64, rate: f64) -> f64 {
    let share = strange / flows;
    if flows <= 0.0 || share <= rate {
        return 0.0;
    }
    let term = |a: f64, b: f64| if a > 0.0 { a * (a / b).ln() } else { 0.0 };
    let divergence = term(share, rate) + term(1.0 - share, 1.0 - rate);
    flows * divergence / std::f64::consts::LN_10
}

pub(super) struct StrangeFlows {
    windows: LruCache<IpAddr, Window>,
    past: LruCache<IpAddr, Past>,
    site: Past,
    ranges: [Ranges; Kind::ALL.len()],
    /// The model, by its number in the process: what another said does not compare.
    model: u64,
    /// Up to which p-value flows are strange.
    rate: f64,
    told: Once<IpAddr>,
}

impl Default for StrangeFlows {
    fn default() -> Self {
        Self {
            windows: LruCache::new(DEVICES),
            past: LruCache::new(DEVICES),
            site: Past::default(),
            ranges: Default::default(),
            model: 0,
            rate: f64::from(STRANGE),
            told: Once::default(),
        }
    }
}

fn kind(device: IpAddr, site: Site<'_>) -> usize {
    let kind = site
        .baselines
        .device(device)
        .map(crate::baseline::Device::kind);
    Kind::ALL
        .iter()
        .position(|one| Some(*one) == kind)
        .unwrap_or(0)
}

impl Detector for StrangeFlows {
    fn name(&self) -> &'static str {
        "strange_flows"
    }

    fn scored(&mut self, scored: &[Scored], site: Site<'_>) {
        for one in scored {
            if one.model != self.model {
                self.windows.clear();
                self.past.clear();
                self.site = Past::default();
                self.model = one.model;
                self.rate = f64::from(STRANGE.max(one.p_floor));
            }
            let device = one.row.client.ip();
            if !is_host(device) {
                continue;
            }
            self.windows
                .get_or_insert_mut(device, Window::default)
                .take(one);
            if one.p > STRANGE.max(one.p_floor) {
                self.ranges[kind(device, site)].add(&one.row.values);
            }
        }
    }

    fn window(&mut self, device: IpAddr, site: Site<'_>) -> Option<Draft> {
        let window = self.windows.pop(&device)?;
        let (strange, flows) = window.weighed();
        let overall = (self.site.strange + ASSUMED * self.rate) / (self.site.flows + ASSUMED);
        let past = self.past.get_or_insert_mut(device, Past::default);
        let rate = (past.strange + 1.0 + BORROWED * overall) / (past.flows + 1.0 + BORROWED);
        let rate = rate.clamp(self.rate, 1.0 - 1e-9);
        let improbable = improbable(strange, flows, rate);
        let found = improbable >= IMPROBABLE && window.known + window.unknown >= LEAST;
        let known = past.windows >= PAST_WINDOWS && past.flows >= PAST_FLOWS;
        // What may be an attack becomes usual much more slowly; the first windows can't be told from it.
        let weight = if found && known { DOUBTED } else { 1.0 };
        past.add(strange * weight, flows * weight);
        self.site.add(strange * weight, flows * weight);
        if !found || !known || site.learns() || !self.told.first(device, site.now) {
            return None;
        }
        Some(self.draft(&window, rate, improbable, kind(device, site)))
    }
}

impl StrangeFlows {
    fn draft(&self, window: &Window, rate: f64, improbable: f64, kind: usize) -> Draft {
        let mut victims: Vec<IpAddr> = Vec::new();
        for one in &window.strangest {
            if !victims.contains(&one.server.ip()) {
                victims.push(one.server.ip());
            }
        }
        for place in window.places.keys() {
            if !victims.contains(&place.ip()) && victims.len() < SHOWN {
                victims.push(place.ip());
            }
        }
        let strange: u32 = window.places.values().sum();
        let strongest = window.strangest.first();
        let most = strongest.map_or_else(String::new, |one| {
            format!(
                "; the strangest to {}, score {:.1}, as {} of the flows that the model was calibrated with",
                one.server,
                one.score,
                one_in(one.p)
            )
        });
        let unknown = if window.unknown > 0 {
            "some of them to hosts that the device did not know"
        } else {
            "all of them to hosts that the device knows"
        };
        let confidence = if window.unknown > 0 {
            (0.2 + 0.02 * (improbable - IMPROBABLE)).min(0.35)
        } else {
            0.2
        };
        Draft {
            technique: "T1071",
            basis: Basis::Model,
            confidence,
            service: service(window),
            victims,
            evidence: format!(
                "{strange} of {} flows in 5 minutes are strange to the model, {unknown}; usual of the device are {:.2} %{most}",
                window.flows,
                rate * 100.0
            ),
            features: self.explain(window, kind),
            wrong_if: "the device was given other work or new software, or the model was not trained on flows of its kind",
            ..Draft::default()
        }
    }

    /// The features that have most in the scores of the strangest flows.
    fn explain(&self, window: &Window, kind: usize) -> Vec<Contribution> {
        let mut shown: Vec<(usize, f32)> = Vec::new();
        for one in &window.strangest {
            let Some(contrib) = &one.contrib else {
                continue;
            };
            let mut order: Vec<usize> = (0..FEATURES).collect();
            order.sort_by(|a, b| contrib[*b].total_cmp(&contrib[*a]));
            for feature in order.into_iter().take(FEATURES_SHOWN) {
                if contrib[feature] > 0.0 && shown.iter().all(|(other, _)| *other != feature) {
                    shown.push((feature, one.values[feature]));
                }
            }
        }
        shown
            .into_iter()
            .take(2 * FEATURES_SHOWN)
            .map(|(feature, value)| self.ranges[kind].explain(feature, value))
            .collect()
    }
}

/// The one service that all strange flows asked, if it is one.
fn service(window: &Window) -> Option<Service> {
    let first = window.strangest.first()?;
    let port = first.server.port();
    let same = window.places.keys().all(|place| place.port() == port);
    let transport = Transport::of(first.protocol)?;
    same.then_some(Service { transport, port })
}

/// A p-value as people say it.
fn one_in(p: f32) -> String {
    format!("1 in {:.0}", 1.0 / p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        baseline::Baselines,
        config::{Baseline, Detect},
        detect::{FlowFacts, HalfFacts, Observation, What},
        event::Time,
        model::Row,
    };

    const DEVICE: [u8; 4] = [10, 0, 0, 9];
    const MINUTES: i64 = 300_000_000_000;
    const DAY: i64 = 86_400_000_000_000;

    fn scored(server: u8, p: f32, new_peer: bool) -> Scored {
        let mut contrib = [0.0; FEATURES];
        contrib[2] = 5.0;
        let mut values = [1.0; FEATURES];
        values[2] = if p < 0.5 { 90_000.0 } else { 300.0 };
        Scored {
            row: Row {
                time: Time(1),
                client: (DEVICE, 40_000).into(),
                server: ([10, 0, 1, server], 104).into(),
                protocol: 6,
                values,
            },
            new_peer,
            score: 1.0 / p,
            p,
            p_floor: 1e-4,
            model: 1,
            contrib: (p < 0.01).then(|| Box::new(contrib)),
        }
    }

    /// A site that was learnt eight days ago, and a detector.
    struct Bench {
        detector: StrangeFlows,
        baselines: Baselines,
        options: Detect,
        now: Time,
    }

    impl Bench {
        fn new() -> Self {
            let mut baselines = Baselines::new(Baseline::default());
            let one = HalfFacts {
                packets: 1,
                ..HalfFacts::default()
            };
            let seen = Observation {
                time: Time(DAY),
                protocol: 6,
                client: (DEVICE, 40_000).into(),
                server: ([10, 0, 1, 1], 104).into(),
                what: What::Flow(Box::new(FlowFacts {
                    to_server: one.clone(),
                    to_client: one,
                    ..FlowFacts::default()
                })),
            };
            baselines.learn(&seen, None);
            Self {
                detector: StrangeFlows::default(),
                baselines,
                options: Detect::default(),
                now: Time(9 * DAY),
            }
        }

        /// A window with these flows.
        fn window(&mut self, flows: &[Scored]) -> Option<Draft> {
            self.now.0 += MINUTES;
            let site = Site {
                now: self.now,
                baselines: &self.baselines,
                options: &self.options,
                delta: None,
            };
            self.detector.scored(flows, site);
            self.detector.window(IpAddr::from(DEVICE), site)
        }

        /// So many windows of ten flows that are as usual.
        fn everyday(&mut self, windows: u32) {
            for _ in 0..windows {
                assert!(self.window(&vec![scored(1, 0.5, false); 10]).is_none());
            }
        }
    }

    fn with(strange: &[Scored]) -> Vec<Scored> {
        [vec![scored(1, 0.5, false); 10], strange.to_vec()].concat()
    }

    #[test]
    fn many_strange_flows_are_a_hint_that_explains_itself() {
        let mut bench = Bench::new();
        bench.everyday(100);
        let strange: Vec<_> = (2..6).map(|server| scored(server, 0.0005, true)).collect();
        let draft = bench.window(&with(&strange)).expect("a finding");
        assert_eq!(draft.basis, Basis::Model);
        assert!(draft.confidence < 0.5, "it opens no alert by itself");
        assert!(
            draft.evidence.starts_with("4 of 14 flows"),
            "{}",
            draft.evidence
        );
        assert!(
            draft.evidence.contains("did not know"),
            "{}",
            draft.evidence
        );
        assert!(draft.evidence.contains("1 in 2000"), "{}", draft.evidence);
        let feature = draft.features.first().expect("a feature");
        assert_eq!(
            (feature.feature.as_str(), feature.value),
            ("out bytes of a flow", 90_000)
        );
        let (low, high) = feature.range.expect("it is known");
        assert!(
            (240..=300).contains(&low) && (300..=360).contains(&high),
            "{low} {high}"
        );
        assert_eq!(draft.service.map(|service| service.port), Some(104));
        // Once an hour.
        assert!(bench.window(&with(&strange)).is_none());
    }

    #[test]
    fn one_strange_flow_is_none_and_neither_are_many_of_a_kind() {
        let mut bench = Bench::new();
        bench.everyday(100);
        assert!(bench.window(&with(&[scored(2, 0.0005, true)])).is_none());
        // A known service at which each flow is strange counts thrice among two hundred.
        let mut flows = vec![scored(1, 0.5, false); 200];
        flows.extend(vec![scored(2, 0.0005, false); 50]);
        assert!(bench.window(&flows).is_none());
    }

    #[test]
    fn a_device_that_always_is_strange_is_left_alone() {
        let mut bench = Bench::new();
        let strange: Vec<_> = (2..8).map(|server| scored(server, 0.0005, false)).collect();
        for window in 0..300 {
            assert!(bench.window(&with(&strange)).is_none(), "{window}");
        }
    }

    #[test]
    fn nothing_is_said_of_a_past_that_another_model_made() {
        let mut bench = Bench::new();
        bench.everyday(100);
        let strange: Vec<_> = (2..6)
            .map(|server| Scored {
                model: 2,
                ..scored(server, 0.0005, true)
            })
            .collect();
        assert!(bench.window(&strange).is_none());
    }

    #[test]
    fn nothing_is_said_while_the_site_is_learnt() {
        let mut bench = Bench::new();
        bench.now = Time(DAY);
        bench.everyday(100);
        let strange: Vec<_> = (2..6).map(|server| scored(server, 0.0005, true)).collect();
        assert!(bench.window(&with(&strange)).is_none());
    }

    #[test]
    fn the_bound_is_above_the_binomial_tail() {
        // P(X >= 3) of 10 at 0.001 is 1.19e-7, P(X >= 6) of 20 at 0.1 is 0.0113.
        for (strange, flows, rate, tail) in [(3.0, 10.0, 0.001, 1.19e-7), (6.0, 20.0, 0.1, 0.0113)]
        {
            let bound = 10_f64.powf(-improbable(strange, flows, rate));
            assert!(tail <= bound && bound < tail * 6.0, "{bound} {tail}");
        }
        assert!(improbable(1.0, 10.0, 0.5).abs() < f64::EPSILON);
        assert!(improbable(10.0, 10.0, 0.001) > 29.0);
    }
}
