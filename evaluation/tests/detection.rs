//! A small simulated hospital through the sensor: attacks are found, change is not taken for one, and what was done
//! while the site was learnt does not become usual. `cargo xtask evaluate` measures the whole.

use evaluation::{
    hospital::{Hospital, Options},
    run::Sensor,
    score::Score,
    traffic::Traffic,
    truth::{Episode, Truth},
};
use sensor_analysis::{Analysis, AnalysisOptions};
use sensor_facts::setting::Span;

/// Two days, of which the first is learnt.
const OPTIONS: Options = Options {
    seed: 3,
    days: 2,
    devices: 40,
    attacks: true,
    poisoned: true,
    ..Options::USUAL
};

#[test]
fn attacks_on_a_small_hospital_are_found_also_those_it_was_learnt_with() {
    let mut hospital = Hospital::new(OPTIONS);
    let truth = hospital.truth().clone();
    let mut options = AnalysisOptions::default();
    options.baseline.learning = Span::from_secs(86_400);
    let mut sensor = Sensor::default().with(options, None, None);
    sensor.watch(&mut hospital, &mut |_| {});
    let alarms = sensor.analysts()[0].alarms();
    let score = Score::of(&alarms, &truth);
    for index in &score.wrong_ones {
        println!("false: {:?}", alarms[*index]);
    }
    for number in &score.missed {
        println!("missed: {:?}", truth.episodes[*number]);
    }
    assert!(
        score.found() * 10 >= score.episodes() * 8,
        "{} of {}",
        score.found(),
        score.episodes()
    );
    // A day of learning is short: a week is what makes them few.
    assert!(score.wrong <= 15, "{} false alerts", score.wrong);

    few_incidents_hold_two_attacks(sensor.analysts()[0].analysis(), &truth);

    // What was done while the site was learnt has not become usual.
    let poison = Hospital::new(Options {
        attacks: false,
        ..OPTIONS
    });
    let later = |one: &&Episode| one.begin >= truth.counts_from;
    let again: Vec<_> = poison.truth().episodes.iter().filter(later).collect();
    assert_eq!(again.len(), 3);
    for episode in again {
        let number = truth.episodes.iter().position(|one| one == episode);
        let number = number.expect("an episode of both");
        assert!(!score.missed.contains(&number), "missed: {episode:?}");
    }
}

/// Each attack here is one device's, or one group's. All of them fall into one day and are staged with the same few
/// workstations, so who was guessed at is drawn as an attacker within hours, and is then taken for one that was taken over.
fn few_incidents_hold_two_attacks(analysis: &Analysis, truth: &Truth) {
    let mut mixed = Vec::new();
    let (mut all, mut of_attacks) = (0, 0);
    for incident in analysis.incidents().all() {
        if incident.merged_into.is_some() {
            continue;
        }
        all += 1;
        let suspects = incident.suspects();
        let within = |one: &&Episode| one.begin <= incident.updated && one.end >= incident.opened;
        let episodes: Vec<&Episode> = truth
            .episodes
            .iter()
            .filter(within)
            .filter(|one| one.suspects.iter().any(|it| suspects.contains(it)))
            .collect();
        of_attacks += usize::from(!episodes.is_empty());
        let together = |one: &&Episode| suspects.iter().all(|it| one.suspects.contains(it));
        if suspects.len() > 1 && !episodes.iter().any(together) {
            mixed.push(incident);
        }
    }
    println!(
        "{all} incidents, {of_attacks} of attacks, {} mixed",
        mixed.len()
    );
    for one in &mixed {
        println!("mixed: {} {:?} {:?}", one.title, one.suspects(), one.links);
    }
    assert!(of_attacks >= 10, "{of_attacks}");
    assert!(
        mixed.len() <= 2,
        "{} incidents hold two attacks",
        mixed.len()
    );
}
