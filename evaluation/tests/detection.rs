//! A small simulated hospital through the sensor: attacks are found, change is not taken for one, and what was done
//! while the site was learnt does not become usual. `cargo xtask evaluate` measures the whole.

use evaluation::{
    hospital::{Hospital, Options},
    run::Sensor,
    score::Score,
    traffic::Traffic,
};
use sensor::{analysis::AnalysisOptions, config::Span};

/// Two days, of which the first is learnt.
fn score(attacks: bool, poisoned: bool) -> Score {
    let mut hospital = Hospital::new(Options {
        seed: 3,
        days: 2,
        devices: 40,
        attacks,
        poisoned,
    });
    let truth = hospital.truth().clone();
    let mut options = AnalysisOptions::default();
    options.baseline.learning = Span::from_secs(86_400);
    let mut sensor = Sensor::default().with(options, None);
    sensor.watch(&mut hospital, &mut |_| {});
    let alarms = sensor.analysts()[0].alarms();
    let score = Score::of(&alarms, &truth);
    for index in &score.wrong_ones {
        println!("false: {:?}", alarms[*index]);
    }
    for number in &score.missed {
        println!("missed: {:?}", truth.episodes[*number]);
    }
    score
}

#[test]
fn attacks_on_a_small_hospital_are_found() {
    let score = score(true, false);
    assert!(
        score.found() * 10 >= score.episodes() * 8,
        "{} of {}",
        score.found(),
        score.episodes()
    );
    // A day of learning is short: a week is what makes them few.
    assert!(score.wrong <= 15, "{} false alerts", score.wrong);
}

#[test]
fn an_attack_while_the_site_is_learnt_does_not_become_usual() {
    let score = score(false, true);
    assert_eq!(score.episodes(), 3);
    assert_eq!(score.found(), 3);
}
