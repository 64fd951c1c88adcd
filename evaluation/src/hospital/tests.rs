use std::collections::BTreeSet;

use sensor_common::{
    counter::{Counter, Counters},
    packet::Layer,
    settings::Settings,
};
use sensor_kernel::{TableSizes, Why};
use sensor_sessions::{
    capture::PortableEngine,
    pipeline::{FlowEndReason, Pipeline, PipelineOptions, PipelineStats},
};

use super::*;
use crate::{attack, wire::burst::HOUR};

const SMALL: Options = Options {
    seed: 7,
    days: 2,
    devices: 40,
    attacks: true,
    poisoned: false,
    ..Options::USUAL
};

/// What came of a run.
#[derive(Default)]
struct Run {
    /// A hash of all times and of the end of each frame.
    hash: u64,
    ordered: bool,
    last: u64,
    /// First and last packet of each attack.
    attacks: Vec<Option<(u64, u64)>>,
}

impl Run {
    fn add(&mut self, time: u64, frame: &[u8], episode: Option<usize>) {
        self.ordered &= time >= self.last;
        self.last = time;
        let tail = frame.iter().rev().take(24);
        let word = tail.fold(time, |word, byte| word.rotate_left(7) ^ u64::from(*byte));
        self.hash = (self.hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if let Some(nth) = episode {
            let (first, _) = self.attacks[nth].unwrap_or((time, time));
            self.attacks[nth] = Some((first, time));
        }
    }
}

/// All until `end`, each frame also handed to `each`.
fn run(
    options: Options,
    live: bool,
    end: u64,
    mut each: impl FnMut(u64, &[u8]),
) -> (Run, Scenario) {
    let (world, scenario, _) = build(options, Span::of(options), live);
    let mut run = Run {
        ordered: true,
        attacks: vec![None; scenario.staged.len()],
        ..Run::default()
    };
    Sim::new(world).run(end, &mut |time, frame, episode| {
        run.add(time, frame, episode);
        each(time, frame);
    });
    (run, scenario)
}

/// The same as the sensor hears it.
fn heard(options: Options) -> (Run, Scenario, Counters, PipelineStats) {
    let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let (mut events, mut second) = (Vec::new(), 0);
    let end = Span::of(options).end;
    let (run, scenario) = run(options, true, end, |time, frame| {
        if time / 1_000_000_000 != second {
            second = time / 1_000_000_000;
            engine.sweep(time, |key, flow, why| match why {
                Why::Active => pipeline.flow_active(key, flow, &mut events),
                Why::Closed => pipeline.flow_ended(key, flow, FlowEndReason::Closed, &mut events),
                _ => pipeline.flow_ended(key, flow, FlowEndReason::Idle, &mut events),
            });
            pipeline.tick(time, &mut events);
            events.clear();
        }
        engine.process(frame, Layer::Ethernet, 0, time, &mut |record: &[u8]| {
            pipeline.ring_record(record, &mut events);
        });
    });
    (run, scenario, *engine.counters(), pipeline.stats())
}

#[test]
fn the_sensor_understands_all_of_it_and_attacks_are_when_the_truth_says() {
    let (run, scenario, counters, stats) = heard(SMALL);
    assert!(run.ordered, "frames come in the order of their times");
    for counter in Counter::ALL.iter().filter(|one| one.is_unprocessed()) {
        assert_eq!(counters.get(*counter), 0, "{}", counter.label());
    }
    for counter in [
        Counter::NotIp,
        Counter::L7Desync,
        Counter::L7Budget,
        Counter::DicomForeignGroup,
    ] {
        assert_eq!(counters.get(counter), 0, "{}", counter.label());
    }
    assert_eq!(
        (
            stats.desyncs,
            stats.elements_malformed,
            stats.elements_incomplete,
            stats.bad()
        ),
        (0, 0, 0, 0)
    );
    assert!(
        stats.associations > 500 && stats.associations_rejected > 50,
        "{stats:?}"
    );
    let staged = scenario.staged.iter().map(|one| one.class);
    let mut lived: Vec<_> = run
        .attacks
        .into_iter()
        .map(Option::unwrap_or_default)
        .zip(staged)
        .collect();
    lived.sort_unstable();
    let hospital = Hospital::new(SMALL);
    assert_eq!(lived.len(), hospital.truth().episodes.len());
    for (((first, last), class), episode) in lived.into_iter().zip(&hospital.truth().episodes) {
        assert_eq!((class, at(first)), (episode.class.as_str(), episode.begin));
        // Its end is not quite that of the rehearsal: messages that are heard and sent again have other lengths.
        let off = (last.cast_signed() - episode.end.0).abs();
        assert!(off < 1_000_000_000, "{class}: {off} ns");
    }
}

#[test]
fn the_same_seed_is_the_same_hospital() {
    let span = Span::of(SMALL);
    let other = Options { seed: 8, ..SMALL };
    let hash = |options, live, end| run(options, live, end, |_, _| {}).0.hash;
    // The attacks, and the first hours of all.
    let dawn = span.begin + 7 * HOUR;
    let attacks = hash(SMALL, false, span.end);
    assert_eq!(attacks, hash(SMALL, false, span.end));
    assert_ne!(attacks, hash(other, false, span.end));
    let all = hash(SMALL, true, dawn);
    assert_eq!(all, hash(SMALL, true, dawn));
    // Attacks do not change what the rest does before them.
    let quiet = Options {
        attacks: false,
        ..SMALL
    };
    assert_eq!(all, hash(quiet, true, dawn));
}

#[test]
fn the_truth_is_within_the_time_and_has_every_class_twice() {
    let hospital = Hospital::new(SMALL);
    let truth = hospital.truth();
    assert!((40..80).contains(&truth.devices), "{}", truth.devices);
    for episode in &truth.episodes {
        assert!(episode.begin >= truth.counts_from, "{episode:?}");
        assert!(
            episode.begin < episode.end && episode.end < truth.end,
            "{episode:?}"
        );
        assert!(
            !episode.suspects.is_empty() && !episode.victims.is_empty(),
            "{episode:?}"
        );
    }
    assert!(truth.episodes.is_sorted_by_key(|one| one.begin));
    for class in attack::classes() {
        let many = truth
            .episodes
            .iter()
            .filter(|one| one.class == class)
            .count();
        assert!(many >= 2, "{class} {many}");
    }
}

#[test]
fn change_alone_has_no_attack_and_a_poisoned_one_has_it_while_the_site_is_learnt() {
    let quiet = Options {
        attacks: false,
        ..SMALL
    };
    assert_eq!(Hospital::new(quiet).truth().episodes, []);
    let poisoned = Options {
        poisoned: true,
        ..quiet
    };
    let hospital = Hospital::new(poisoned);
    let truth = hospital.truth();
    let classes = |early: bool| -> BTreeSet<_> {
        let some = truth
            .episodes
            .iter()
            .filter(|one| (one.begin < truth.counts_from) == early);
        some.map(|one| one.class.clone()).collect()
    };
    assert_eq!(classes(true).len(), 3);
    assert_eq!(classes(true), classes(false));
    let suspects: BTreeSet<_> = truth
        .episodes
        .iter()
        .flat_map(|one| &one.suspects)
        .collect();
    assert_eq!(suspects.len(), 1, "one device does it all");
}

#[test]
fn unseen_attacks_and_abuse_are_within_the_time() {
    for (cases, classes) in [(Cases::Unseen, 9), (Cases::Abuse, 4)] {
        let options = Options { cases, ..SMALL };
        let hospital = Hospital::new(options);
        let truth = hospital.truth();
        let names: BTreeSet<_> = truth.episodes.iter().map(|one| &one.class).collect();
        assert_eq!(names.len(), classes, "{names:?}");
        for episode in &truth.episodes {
            // What began while the site was learnt counts from the end of that.
            assert!(episode.begin >= truth.counts_from, "{episode:?}");
            assert!(
                episode.begin < episode.end && episode.end < truth.end,
                "{episode:?}"
            );
        }
    }
}

#[test]
fn a_sensor_that_is_new_sees_nothing_before_and_attacks_begin_with_it() {
    let options = Options {
        first_day: true,
        ..SMALL
    };
    let hospital = Hospital::new(options);
    let truth = hospital.truth();
    assert_eq!(truth.begin, truth.counts_from);
    assert_eq!(truth.begin, at(BEGIN + 9 * HOUR));
    assert!(truth.episodes.iter().all(|one| one.begin >= truth.begin));
}

#[test]
fn the_sensor_understands_hospitals_of_any_shape() {
    // With VLANs, IPv6 and a shared address: the first seed that draws all three.
    let drawn = |seed: &u64| {
        let shape = Shape::of(*seed);
        shape.tagged && shape.v6 && shape.shared
    };
    let seed = (1..100).find(drawn).expect("a seed");
    let options = Options {
        seed,
        shaped: true,
        ..SMALL
    };
    let mut mirror = Mirror::new(Shape::of(seed), seed, None);
    let mut engine = PortableEngine::new(TableSizes::default(), Settings::DEFAULT);
    let (mut v6, mut vlan) = (0, 0);
    let begin = Span::of(options).begin;
    run(options, true, begin + 5 * HOUR, |time, frame| {
        if time < begin + 4 * HOUR {
            return;
        }
        mirror.pass(time, frame, &mut |time, frame| {
            vlan += u64::from(frame[12..14] == [0x81, 0x00]);
            v6 += u64::from(frame[16..18] == [0x86, 0xdd]);
            engine.process(frame, Layer::Ethernet, 0, time, &mut |_| {});
        });
    });
    assert!(vlan > 1_000 && v6 > 1_000, "{vlan} {v6}");
    for counter in Counter::ALL.iter().filter(|one| one.is_unprocessed()) {
        assert_eq!(engine.counters().get(*counter), 0, "{}", counter.label());
    }
}
