//! A night: one in which the mirror is dead, and one in which nothing is wrong.

use sensor_facts::mirror::Condition;

use super::{Made, at, ranges};
use crate::live::mirror::judge::Kept;

/// A mirror that died in the night says since when, also if the daemon was started again in between.
#[test]
fn a_dead_night_outlives_a_restart() {
    let mut made = Made::new();
    made.busy();
    made.seconds(3_600, |_| 0);
    let kept = made.judge.keep();
    let text = serde_json::to_string(&kept).expect("JSON");
    let kept: Kept = serde_json::from_str(&text).expect("what was kept");

    // Programs and their counters are gone with the daemon at a mirror.
    let mut next = Made::remember(Some(kept.clone()), made.second + 10);
    next.seconds(5, |_| 0);
    let standing: Vec<_> = next.judge.standing().cloned().collect();
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(
        (standing[0].condition, standing[0].since),
        (Condition::Silent, at(1_199))
    );
    assert_eq!(next.judge.last_packet(), Some(at(1_199)));
    assert!(
        next.changes.is_empty(),
        "it was told already: {:?}",
        next.changes
    );
    next.seconds(12, |_| 500);
    assert_eq!(next.standing(), []);

    // It died while no daemon ran.
    let mut alive = Made::new();
    alive.busy();
    let mut next = Made::remember(Some(alive.judge.keep()), alive.second + 7_200);
    next.seconds(2, |_| 0);
    assert_eq!(
        next.began(Condition::Silent, 0).map(|it| it.1),
        Some(at(1_199))
    );
}

/// A small hospital from the evening on: ever fewer packets at random times, devices that go home, a backup, polls at the
/// full hour. Nothing is wrong.
#[test]
fn a_small_hospitals_night_is_no_reason_to_warn() {
    for seed in 1..=8_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut dice = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut made = Made::new();
        // From 18:00 to 6:00: a packet every second at first, and one every 12 s at night; the pumps' VLAN always talks.
        for second in 0..43_200_u64 {
            let quiet = 1 + (second / 3_600).min(11);
            let mut packets = u64::from(dice(quiet) == 0) * (1 + dice(40));
            if (14_400..18_000).contains(&second) {
                packets += 30_000;
            }
            made.survey.active = 40_u64.saturating_sub(second / 1_200).max(4) + dice(8);
            let (conversations, one_sided) = (8 + dice(20), dice(3));
            (made.survey.conversations, made.survey.one_sided) = (conversations, one_sided);
            // The office empties; a poll at each full hour wakes three devices of the laboratory.
            let office = u8::try_from(30_u64.saturating_sub(second / 300)).unwrap();
            made.talk(&ranges(&[10]), 3);
            let mut talking = made.survey.ranges.clone();
            if office > 0 && dice(4) == 0 {
                made.talk(&ranges(&[20]), office.min(8));
                talking.extend(made.survey.ranges.clone());
            }
            if second % 3_600 < 20 {
                made.talk(&ranges(&[30]), 3);
                talking.extend(made.survey.ranges.clone());
            }
            made.survey.ranges = talking;
            made.second(packets);
        }
        let said: Vec<String> = made
            .changes
            .iter()
            .map(|(second, standing, _)| format!("{second}: {standing}"))
            .collect();
        assert!(said.is_empty(), "seed {seed}: {said:#?}");
    }
}
