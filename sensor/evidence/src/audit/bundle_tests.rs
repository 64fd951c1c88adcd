//! No change of a bundle goes unseen.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use sensor_facts::{action::Action, rule::Actor, time::Time};

use super::{
    FILE, Journal,
    bundle::{BundleError, Header, Selection, verify_bytes},
};
use crate::pseudonym::{Names, Pseudonyms, SiteKey, Veil};

const ALL: Range<Time> = Time(i64::MIN)..Time(i64::MAX);

fn person() -> Actor {
    Actor::Person {
        uid: 1004,
        name: Some("mmuster".to_owned()),
    }
}

/// A trail of 20 entries, signed after each other one.
fn trail(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("wardtap-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let (mut journal, _) = Journal::open(&folder, |_| {}).expect("a trail");
    for number in 1..=20 {
        let action = Action::BaselineReset {
            device: [10, 9, 8, number].into(),
            reason: "moved to Mrs Meier".to_owned(),
        };
        journal.add(Time(i64::from(number) * 1_000_000), person(), action);
        if number % 2 == 0 {
            assert!(journal.write());
        }
    }
    folder
}

fn bundle(folder: &Path, within: &Range<Time>, veil: Option<&Veil>) -> Vec<u8> {
    let selection = Selection::read(&folder.join(FILE), within).expect("entries");
    let made = selection.bundle(person(), Time(99_000_000), veil);
    made.expect("a bundle")
}

fn veil() -> Veil {
    let pseudonyms = Pseudonyms::new(&SiteKey::of([5; 32]));
    Veil::new(pseudonyms, Names::default())
}

fn read(bytes: &[u8]) -> Result<(Header, Vec<u64>), BundleError> {
    let mut entries = Vec::new();
    let header = verify_bytes(bytes, None, |entry| entries.push(entry.seq))?;
    Ok((header, entries))
}

#[test]
fn a_bundle_verifies_whole_in_part_and_under_pseudonyms() {
    let folder = trail("bundle");
    let (whole, entries) = read(&bundle(&folder, &ALL, None)).expect("whole");
    assert_eq!(entries, (1..=20).collect::<Vec<_>>());
    assert_eq!((whole.checkpoints, whole.pseudonymised), (10, false));
    assert_eq!(whole.by, person());

    let part = bundle(&folder, &(Time(7_000_000)..Time(12_000_000)), None);
    let (part, entries) = read(&part).expect("a part");
    assert_eq!(entries, (7..=11).collect::<Vec<_>>());
    assert_eq!(part.checkpoints, 2);
    assert_ne!(part.before, whole.before);

    let bytes = bundle(&folder, &ALL, Some(&veil()));
    let (veiled, entries) = read(&bytes).expect("under pseudonyms");
    assert_eq!(entries.len(), 20);
    assert!(veiled.pseudonymised && veiled.original.is_some());
    assert_ne!(veiled.head, whole.head);
    let text = String::from_utf8(bytes).expect("text");
    for original in ["10.9.8.", "mmuster", ":1004", "Meier", &whole.head] {
        assert!(!text.contains(original), "{original}: {text}");
    }
    let other = verify_bytes(text.as_bytes(), Some(&"0".repeat(64)), |_| {});
    assert!(matches!(other, Err(BundleError::Key { .. })));
    let none = Selection::read(&folder.join(FILE), &(Time(50_000_000)..Time(60_000_000)));
    assert!(matches!(none, Err(BundleError::Empty)));
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn each_change_of_a_bundle_is_found() {
    let folder = trail("changes");
    for veil in [None, Some(veil())] {
        let whole = bundle(&folder, &ALL, veil.as_ref());
        assert!(read(&whole).is_ok());
        let length = whole.len();
        let seen = |changed: &[u8]| read(changed).is_err();
        proptest!(ProptestConfig::with_cases(1_000), |(
            at in 0..length, byte: u8, how in 0..5, cut in 1..64_usize, to in 0..length,
        )| {
            let mut changed = whole.clone();
            match how {
                0 => changed[at] ^= byte.max(1),
                1 => { changed.remove(at); }
                2 => changed.insert(at, byte),
                3 => changed.truncate(length - cut),
                // A line elsewhere, or twice.
                _ => {
                    let line = |at: usize| {
                        let start = whole[..at].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
                        let end = whole[at..].iter().position(|it| *it == b'\n').map_or(length, |it| at + it + 1);
                        start..end
                    };
                    let moved = whole[line(at)].to_vec();
                    let to = line(to).start;
                    changed.splice(to..to, moved);
                }
            }
            prop_assume!(changed != whole);
            prop_assert!(seen(&changed), "{} at {}", how, at);
        });
        // The first entry is named.
        let at = |entry: usize| {
            let lines: Vec<usize> = (0..length).filter(|at| whole[*at] == b'\n').collect();
            lines[entry - 1] + 30
        };
        for entry in [1, 7, 20] {
            let mut changed = whole.clone();
            changed[at(entry)] ^= 1;
            let error = read(&changed).expect_err("changed");
            assert_eq!(error.entry(), Some(entry as u64), "{error}");
        }
    }
    fs::remove_dir_all(folder).expect("removed");
}
