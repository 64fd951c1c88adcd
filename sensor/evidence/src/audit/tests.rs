use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use proptest::prelude::*;
use sensor_facts::{action::Action, rule::Actor, time::Time};

use super::*;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wardtap-journal-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn refused(number: u64) -> Action {
    Action::Refused {
        what: format!("thing {number}"),
        reason: "it is a test".to_owned(),
    }
}

fn write(folder: &Path, from: u64, count: u64) {
    let (mut journal, _) = Journal::open(folder, |_| {}).unwrap();
    for number in from..from + count {
        journal.add(Time(1_000), Actor::Daemon, refused(number));
        assert!(journal.write());
    }
}

#[test]
fn what_was_written_is_read_again() {
    let folder = folder("read");
    write(&folder, 0, 3);
    write(&folder, 3, 2);
    let mut entries = Vec::new();
    let summary = read(&folder.join(FILE), |entry| entries.push(entry)).unwrap();
    assert_eq!((summary.entries, summary.torn), (5, 0));
    for (number, entry) in (0..).zip(&entries) {
        assert_eq!((entry.seq, &entry.action), (number + 1, &refused(number)));
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn one_writer_at_a_time() {
    let folder = folder("held");
    let (_journal, _) = Journal::open(&folder, |_| {}).unwrap();
    assert!(matches!(
        Journal::open(&folder, |_| {}),
        Err(JournalError::Held { .. })
    ));
    fs::remove_dir_all(folder).unwrap();
}

/// Takes the last checkpoint away, as if the daemon had been killed before it was written.
fn unsign(folder: &Path) {
    let path = folder.join(CHECKPOINTS);
    let text = fs::read(&path).unwrap();
    let mut lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    lines.pop();
    fs::write(path, lines.concat()).unwrap();
}

#[test]
fn a_torn_end_is_put_aside() {
    let folder = folder("torn");
    write(&folder, 0, 3);
    unsign(&folder);
    let path = folder.join(FILE);
    let whole = fs::read(&path).unwrap();
    let signed = fs::read(folder.join(CHECKPOINTS)).unwrap();
    for cut in 1..60 {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        // And the checkpoint of an entry before was not written to its end.
        fs::write(folder.join(CHECKPOINTS), &signed[..signed.len() - cut]).unwrap();
        let mut count = 0;
        let (mut journal, recovery) = Journal::open(&folder, |_| count += 1).unwrap();
        assert_eq!(count, 2);
        assert!(recovery.torn.is_some());
        journal.add(Time(1), Actor::Daemon, refused(9));
        assert!(journal.write());
        let (summary, checkpoints) = verify(&path, None, |_| {}).unwrap();
        assert_eq!((summary.entries, checkpoints.last()), (3, 3));
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_change_of_a_byte_is_found() {
    let folder = folder("changed");
    write(&folder, 0, 4);
    let path = folder.join(FILE);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() - 1 {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let line = whole[..at].split(|byte| *byte == b'\n').count() as u64;
        match read(&path, |_| {}) {
            Err(JournalError::Broken { line: found, .. }) => {
                assert_eq!(found, line, "byte {at}");
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for orders in [
        vec![0, 2, 3],
        vec![1, 2, 3],
        vec![0, 2, 1, 3],
        vec![0, 1, 1, 2, 3],
    ] {
        let text: Vec<_> = orders.iter().flat_map(|at| lines[*at]).copied().collect();
        fs::write(&path, text).unwrap();
        assert!(matches!(
            Journal::open(&folder, |_| {}),
            Err(JournalError::Broken { .. })
        ));
    }
    fs::remove_dir_all(folder).unwrap();
}

/// Who can write the trail, and knows how it is made, but has not the key.
#[test]
fn a_chain_that_was_computed_anew_is_found() {
    let (honest, forged) = (folder("honest"), folder("forged"));
    write(&honest, 0, 5);
    write(&forged, 0, 3);
    write(&forged, 30, 2);
    fs::copy(forged.join(FILE), honest.join(FILE)).unwrap();
    let path = honest.join(FILE);
    assert_eq!(read(&path, |_| {}).unwrap().entries, 5);
    let error = verify(&path, None, |_| {}).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Rewritten {
                first: 4,
                last: 4,
                ..
            }
        ),
        "{error}"
    );
    assert!(Journal::open(&honest, |_| {}).is_err());

    // With the checkpoints as well, the key is another than the one that was kept elsewhere, and the daemon's.
    let key = fs::read_to_string(honest.join(PUBLIC_KEY)).unwrap();
    fs::copy(forged.join(CHECKPOINTS), honest.join(CHECKPOINTS)).unwrap();
    assert!(verify(&path, None, |_| {}).is_ok());
    let error = verify(&path, Some(key.trim()), |_| {}).unwrap_err();
    assert!(
        matches!(error, JournalError::Checkpoint { line: 1, .. }),
        "{error}"
    );
    assert!(Journal::open(&honest, |_| {}).is_err());
    fs::remove_dir_all(honest).unwrap();
    fs::remove_dir_all(forged).unwrap();
}

#[test]
fn a_trail_cut_at_its_end_is_found() {
    let folder = folder("cut");
    write(&folder, 0, 5);
    let path = folder.join(FILE);
    let whole = fs::read(&path).unwrap();
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for kept in 0..5_u64 {
        let text = lines[..usize::try_from(kept).unwrap()].concat();
        fs::write(&path, text).unwrap();
        let error = verify(&path, None, |_| {}).unwrap_err();
        assert_eq!(error.entry(), Some(kept + 1), "{error}");
        assert!(Journal::open(&folder, |_| {}).is_err());
    }
    fs::write(&path, &whole).unwrap();
    fs::remove_file(folder.join(CHECKPOINTS)).unwrap();
    assert!(matches!(
        verify(&path, None, |_| {}),
        Err(JournalError::Unsigned { .. })
    ));
    assert!(Journal::open(&folder, |_| {}).is_err());
    fs::remove_dir_all(folder).unwrap();
}

/// A trail from before there were checkpoints, and a start that was killed at each step of making a key.
#[test]
fn signing_begins_with_the_trail_as_it_is() {
    let folder = folder("upgrade");
    write(&folder, 0, 3);
    for name in [CHECKPOINTS, PUBLIC_KEY, "audit.key"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    fs::write(folder.join("audit.key.new"), [1; 7]).unwrap();
    write(&folder, 3, 1);
    let path = folder.join(FILE);
    let (_, checkpoints) = verify(&path, None, |_| {}).unwrap();
    assert_eq!((checkpoints.len(), checkpoints.last()), (2, 4));
    // Killed between the first checkpoint and the key's name.
    fs::rename(folder.join("audit.key"), folder.join("audit.key.new")).unwrap();
    write(&folder, 4, 1);
    let (_, after) = verify(&path, None, |_| {}).unwrap();
    assert_eq!((&after.key, after.last()), (&checkpoints.key, 5));
    fs::remove_dir_all(folder).unwrap();
}

/// A single change of the files.
#[derive(Clone, Debug)]
enum Tampering {
    Flip(u8),
    Remove,
    Insert(u8),
    RemoveLine,
    RepeatLine,
    SwapLines,
    Cut,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        4 => (0..8u8).prop_map(|bit| Tampering::Flip(1 << bit)),
        2 => Just(Tampering::Remove),
        2 => any::<u8>().prop_map(Tampering::Insert),
        1 => Just(Tampering::RemoveLine),
        1 => Just(Tampering::RepeatLine),
        1 => Just(Tampering::SwapLines),
        1 => Just(Tampering::Cut),
    ]
}

/// The text after the change.
fn tamper(text: &[u8], at: usize, how: &Tampering) -> Vec<u8> {
    let line = text[..at].split(|byte| *byte == b'\n').count() - 1;
    let mut lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut bytes = text.to_vec();
    match how {
        Tampering::Flip(bits) => bytes[at] ^= bits,
        Tampering::Remove => drop(bytes.remove(at)),
        Tampering::Insert(byte) => bytes.insert(at, *byte),
        Tampering::Cut => bytes.truncate(at),
        Tampering::RemoveLine => {
            lines.remove(line);
            bytes = lines.concat();
        }
        Tampering::RepeatLine => {
            lines.insert(line, lines[line]);
            bytes = lines.concat();
        }
        Tampering::SwapLines => {
            let other = if line + 1 < lines.len() {
                line + 1
            } else {
                line - 1
            };
            lines.swap(line, other);
            bytes = lines.concat();
        }
    }
    bytes
}

/// The first line of `after` that differs from `before`.
fn first_difference(before: &[u8], after: &[u8]) -> u64 {
    let mut number = 1;
    let mut old = before.split_inclusive(|byte| *byte == b'\n');
    let mut new = after.split_inclusive(|byte| *byte == b'\n');
    while let (Some(a), Some(b)) = (old.next(), new.next()) {
        if a != b {
            return number;
        }
        number += 1;
    }
    number
}

/// The files of a trail of six entries: trail, checkpoints.
fn sample() -> &'static [Vec<u8>; 2] {
    static SAMPLE: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let folder = folder("sample");
        write(&folder, 0, 6);
        let files = [FILE, CHECKPOINTS].map(|name| fs::read(folder.join(name)).unwrap());
        fs::remove_dir_all(folder).unwrap();
        files
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Each is found; of the trail, with the first entry that is not what it was.
    #[test]
    fn a_random_change_is_found(at: prop::sample::Index, how in tampering(), trail: bool) {
        let [entries, checkpoints] = sample();
        let whole = if trail { entries } else { checkpoints };
        let changed = tamper(whole, at.index(whole.len()), &how);
        prop_assume!(changed != *whole);
        let folder = folder("tampered");
        fs::create_dir_all(&folder).unwrap();
        let (entries, checkpoints) = if trail { (&changed, checkpoints) } else { (entries, &changed) };
        fs::write(folder.join(FILE), entries).unwrap();
        fs::write(folder.join(CHECKPOINTS), checkpoints).unwrap();
        let found = verify(&folder.join(FILE), None, |_| {});
        fs::remove_dir_all(&folder).unwrap();
        match found {
            Err(error) if trail => {
                prop_assert_eq!(error.entry(), Some(first_difference(whole, &changed)), "{}", error);
            }
            Err(_) => {}
            Ok(_) => prop_assert!(false, "{:?} was not found", how),
        }
    }
}
