//! A device's everyday, and windows that are not.

use super::*;
use crate::{
    baseline::Baselines,
    behaviour::Behaviour,
    config::Baseline,
    detect::{Named, Origins, Routers},
    model::Row,
};
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    time::Time,
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
    now: Time,
}

impl Bench {
    fn new() -> Self {
        let mut baselines = Baselines::new(Baseline::default());
        let one = Half {
            packets: 1,
            ..Half::default()
        };
        let seen = Observation {
            time: Time(DAY),
            protocol: 6,
            client: (DEVICE, 40_000).into(),
            server: ([10, 0, 1, 1], 104).into(),
            macs: [[0; 6]; 2],
            what: What::Flow(Box::new(FlowFacts {
                to_server: one,
                to_client: one,
                ..FlowFacts::default()
            })),
        };
        baselines.learn(&seen, None);
        Self {
            detector: StrangeFlows::new(&Values::default()),
            baselines,
            now: Time(9 * DAY),
        }
    }

    /// A window with these flows.
    fn window(&mut self, flows: &[Scored]) -> Option<Draft> {
        self.now.0 += MINUTES;
        let site = Site {
            now: self.now,
            baselines: &self.baselines,
            behaviour: &Behaviour::new(1),
            routers: &Routers::new(4),
            origins: &Origins::default(),
            named: &Named::default(),
            inside: &[],
            roles: &HashMap::new(),
            delta: None,
        };
        self.detector.scored(flows, &site);
        self.detector.window(IpAddr::from(DEVICE), &site)
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
    for (strange, flows, rate, tail) in [(3.0, 10.0, 0.001, 1.19e-7), (6.0, 20.0, 0.1, 0.0113)] {
        let bound = 10_f64.powf(-improbable(strange, flows, rate));
        assert!(tail <= bound && bound < tail * 6.0, "{bound} {tail}");
    }
    assert!(improbable(1.0, 10.0, 0.5).abs() < f64::EPSILON);
    assert!(improbable(10.0, 10.0, 0.001) > 29.0);
}
