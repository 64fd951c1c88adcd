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

use sensor_facts::finding::Contribution;

use crate::detect::counted::CountedLru;
use crate::{
    baseline::DeviceKind,
    detect::prelude::*,
    model::{FEATURES, Ranges, STRANGE, Scored},
};

pub(super) const ABOUT: About = About {
    id: "strange_flows",
    techniques: &["T1071"],
    finds: "far more flows than usual that are strange to the anomaly model (docs/models.md): a hint, never an alert by itself",
    starts: Starts::AfterLearning,
    wrong_if: &[
        "the device was given other work or new software, or the model was not trained on flows of its kind",
    ],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(StrangeFlows::new(values)),
};

thresholds! {
    /// This many strange flows in 5 minutes are the fewest that are reported.
    strange_flows: count = 2, 1..=1_000;
    /// How improbable the number of strange flows must be by the device's own past, as a negative power of ten.
    strange_improbable: number = 6.0, 1.0..=100.0;
    /// Strange flows of one service at one host count up to this many.
    strange_alike: count = 3, 1..=1_000;
    /// A device has a past after this many flows.
    strange_past_flows: count = 30, 1..=1_000_000;
    /// And after this many windows of 5 minutes with flows.
    strange_past_windows: count = 3, 1..=10_000;
}

#[cfg(test)]
mod tests;

/// Devices whose windows and past are kept.
const DEVICES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// Services at hosts that are told apart in a window.
const PLACES: usize = 256;
/// The site's rate counts as so many flows of the device.
const BORROWED: f64 = 200.0;
/// And the model's own as so many of the site.
const ASSUMED: f64 = 1_000.0;
/// What a window that was found counts in the past.
const DOUBTED: f64 = 0.05;
/// Flows of the past after which the old ones count half.
const FULL: f64 = 20_000.0;
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
    /// Strange flows, each place up to `strange_alike`, by whether the host was known.
    known: u32,
    unknown: u32,
    places: HashMap<SocketAddr, u32>,
    strangest: Vec<Strange>,
}

impl Window {
    fn take(&mut self, one: &Scored, alike: u32) {
        self.flows += 1;
        if one.p > STRANGE.max(one.p_floor) {
            return;
        }
        if self.places.len() < PLACES || self.places.contains_key(&one.row.server) {
            let count = self.places.entry(one.row.server).or_default();
            *count += 1;
            if *count <= alike {
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
    windows: CountedLru<IpAddr, Window>,
    past: CountedLru<IpAddr, Past>,
    site: Past,
    ranges: [Ranges; DeviceKind::ALL.len()],
    /// The model, by its number in the process: what another said does not compare.
    model: u64,
    /// Up to which p-value flows are strange.
    rate: f64,
    reported: Reported<IpAddr>,
    own: Thresholds,
}

impl StrangeFlows {
    fn new(values: &Values) -> Self {
        Self {
            windows: CountedLru::new(DEVICES),
            past: CountedLru::new(DEVICES),
            site: Past::default(),
            ranges: Default::default(),
            model: 0,
            rate: f64::from(STRANGE),
            reported: Reported::new(values),
            own: Thresholds::of(values),
        }
    }
}

fn kind(device: IpAddr, site: &Site<'_>) -> usize {
    let kind = site
        .baselines
        .device(device)
        .map(crate::baseline::Device::kind);
    DeviceKind::ALL
        .iter()
        .position(|one| Some(*one) == kind)
        .unwrap_or(0)
}

impl Detector for StrangeFlows {
    fn evicted(&self) -> u64 {
        self.windows.evicted() + self.past.evicted() + self.reported.evicted()
    }

    fn scored(&mut self, scored: &[Scored], site: &Site<'_>) {
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
                .take(one, self.own.strange_alike);
            if one.p > STRANGE.max(one.p_floor) {
                self.ranges[kind(device, site)].add(&one.row.values);
            }
        }
    }

    fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Option<Draft> {
        let window = self.windows.pop(&device)?;
        let (strange, flows) = window.weighed();
        let overall = (self.site.strange + ASSUMED * self.rate) / (self.site.flows + ASSUMED);
        let past = self.past.get_or_insert_mut(device, Past::default);
        let rate = (past.strange + 1.0 + BORROWED * overall) / (past.flows + 1.0 + BORROWED);
        let rate = rate.clamp(self.rate, 1.0 - 1e-9);
        let improbable = improbable(strange, flows, rate);
        let own = self.own;
        let found = improbable >= own.strange_improbable
            && window.known + window.unknown >= own.strange_flows;
        let known = past.windows >= own.strange_past_windows
            && past.flows >= f64::from(own.strange_past_flows);
        // What may be an attack becomes usual much more slowly; the first windows can't be told from it.
        let weight = if found && known { DOUBTED } else { 1.0 };
        past.add(strange * weight, flows * weight);
        self.site.add(strange * weight, flows * weight);
        if !found || !known || site.learns() || !self.reported.first(device, site.now) {
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
            (0.2 + 0.02 * (improbable - self.own.strange_improbable)).min(0.35)
        } else {
            0.2
        };
        Draft {
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
