//! Segments: links, what is found of a change, and a start that was killed at each step.

use std::{fs, path::Path};

use sensor_facts::{
    action::{Action, Standing},
    rule::Actor,
    time::Time,
};

use super::{
    segment::{NEXT, NEXT_CHECKPOINTS},
    testing::{folder, numbers, thing, write},
    *,
};

#[test]
fn segments_are_one_trail_and_a_start_reads_the_last() {
    let folder = folder("one");
    write(&folder, &[3, 4, 2]);
    let (summary, seen) = numbers(&folder);
    assert_eq!(seen, (1..=11).collect::<Vec<_>>());
    assert_eq!((summary.entries, summary.segments), (11, 3));
    assert_eq!((summary.first, summary.removed), (1, 0));
    // The second and the third begin with an entry of their own.
    let mut read = Vec::new();
    let (journal, _) = Journal::open(&folder, |entry| read.push(entry)).unwrap();
    assert_eq!((journal.segment(), journal.entries()), (3, 11));
    assert_eq!(
        read.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [9, 10, 11]
    );
    let Action::SegmentBegun {
        segment,
        previous,
        standing,
    } = &read[0].action
    else {
        panic!("{:?}", read[0]);
    };
    assert_eq!((*segment, previous.segment, previous.last_entry), (3, 2, 8));
    assert_eq!(standing.last_id, 2);
    drop(journal);
    // Each is verified by itself too.
    for number in 1..=2 {
        let alone = segment::closed(&folder, number);
        verify(&alone.path, None, |_| {}).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_trail_of_one_file_becomes_the_first_segment() {
    let folder = folder("old");
    write(&folder, &[5]);
    let whole = fs::read(folder.join(FILE)).unwrap();
    let signed = fs::read(folder.join(CHECKPOINTS)).unwrap();
    // A version before this one had no such file.
    fs::remove_file(folder.join("audit.lock")).unwrap();
    let (mut journal, _) = Journal::open(&folder, |_| {}).unwrap();
    journal.add_segment(Time(2_000), Standing::default());
    assert!(journal.write());
    drop(journal);
    let first = segment::closed(&folder, 1);
    assert_eq!(fs::read(first.path).unwrap(), whole);
    assert_eq!(fs::read(first.checkpoints).unwrap(), signed);
    assert_eq!(numbers(&folder).1, (1..=6).collect::<Vec<_>>());
    fs::remove_dir_all(folder).unwrap();
}

/// The files of a trail of four segments, changed in one way; the first entry that is not what it was, if it is known.
#[test]
fn missing_swapped_truncated_and_changed_segments_are_found() {
    let folder = folder("tampered");
    write(&folder, &[3, 3, 3, 3]);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let saved: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    let of = |number| segment::closed(&folder, number);
    let remove = |number: u64| {
        fs::remove_file(of(number).path).unwrap();
        fs::remove_file(of(number).checkpoints).unwrap();
    };
    let swap = |a: &Path, b: &Path| {
        let (one, other) = (fs::read(a).unwrap(), fs::read(b).unwrap());
        fs::write(a, other).unwrap();
        fs::write(b, one).unwrap();
    };
    let cut = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        fs::write(path, lines[..lines.len() - 1].concat()).unwrap();
    };
    let check = |what: &str, change: &dyn Fn(), entry: Option<u64>| {
        change();
        let error = verify(&folder.join(FILE), None, |_| {}).unwrap_err();
        assert!(error.is_tampering(), "{what}: {error}");
        assert_eq!(error.entry(), entry, "{what}: {error}");
        for (path, bytes) in files.iter().zip(&saved) {
            fs::write(path, bytes).unwrap();
        }
        for number in [5, 6] {
            let _ = fs::remove_file(of(number).path);
        }
        verify(&folder.join(FILE), None, |_| {}).unwrap();
    };
    check("the first is missing", &|| remove(1), None);
    check("one in between is missing", &|| remove(2), Some(4));
    check("the last closed one is missing", &|| remove(3), Some(8));
    let last = || {
        fs::remove_file(folder.join(FILE)).unwrap();
        fs::remove_file(folder.join(CHECKPOINTS)).unwrap();
    };
    check("the last one is missing", &last, None);
    let swapped = || {
        swap(&of(2).path, &of(3).path);
        swap(&of(2).checkpoints, &of(3).checkpoints);
    };
    check("two are swapped", &swapped, Some(4));
    let entries_swapped = || swap(&of(2).path, &of(3).path);
    check("entries alone are swapped", &entries_swapped, Some(4));
    check("one was cut", &|| cut(&of(2).path), Some(7));
    // Entries and signatures together: found by the next segment.
    let both = || {
        cut(&of(2).path);
        cut(&of(2).checkpoints);
    };
    check("one was cut with its signatures", &both, Some(7));
    check("signatures were cut", &|| cut(&of(3).checkpoints), Some(11));
    let changed = || {
        let text = fs::read_to_string(of(2).path).unwrap();
        fs::write(of(2).path, text.replacen("thing 1", "thing 7", 1)).unwrap();
    };
    check("an entry was changed", &changed, Some(6));
    let head = || {
        let text = fs::read_to_string(of(3).path).unwrap();
        fs::write(of(3).path, text.replacen("last_id\":2", "last_id\":9", 1)).unwrap();
    };
    check("what is in force was changed", &head, Some(8));
    fs::remove_dir_all(folder).unwrap();
}

/// A segment that follows another trail, made with the same key.
#[test]
fn a_segment_of_another_trail_is_found() {
    let (one, other) = (folder("this"), folder("other"));
    write(&one, &[3, 3, 1]);
    fs::create_dir_all(&other).unwrap();
    for name in ["audit.key", PUBLIC_KEY] {
        fs::copy(one.join(name), other.join(name)).unwrap();
    }
    fs::copy(one.join("audit.key"), other.join("audit.key.new")).unwrap();
    fs::remove_file(other.join("audit.key")).unwrap();
    write(&other, &[3, 3, 1]);
    let (mine, theirs) = (segment::closed(&one, 2), segment::closed(&other, 2));
    // The same content at the same time has the same hashes, so the other trail needs another beginning.
    let text = fs::read_to_string(&theirs.path).unwrap();
    assert_eq!(text, fs::read_to_string(&mine.path).unwrap());
    fs::remove_dir_all(&other).unwrap();
    fs::create_dir_all(&other).unwrap();
    fs::copy(one.join("audit.key"), other.join("audit.key.new")).unwrap();
    write(&other, &[2, 4, 1]);
    let theirs = segment::closed(&other, 2);
    fs::copy(theirs.path, &mine.path).unwrap();
    fs::copy(theirs.checkpoints, &mine.checkpoints).unwrap();
    let error = verify(&one.join(FILE), None, |_| {}).unwrap_err();
    assert!(
        matches!(error, JournalError::Link { entry: 4, .. }),
        "{error}"
    );
    fs::remove_dir_all(one).unwrap();
    fs::remove_dir_all(other).unwrap();
}

/// Killed after each step of the beginning of a segment: nothing is lost, and it goes on.
#[test]
fn a_start_finds_either_the_old_or_the_new_segment() {
    for step in 0..=4 {
        let folder = folder(&format!("killed-{step}"));
        write(&folder, &[3, 2]);
        let (old, new) = (segment::closed(&folder, 1), folder.join(FILE));
        // Back to the moment before the first rename, then as far as it came.
        let checkpoints = folder.join(CHECKPOINTS);
        let header = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            text.split_inclusive('\n').next().unwrap().to_owned()
        };
        fs::write(folder.join(NEXT), header(&new)).unwrap();
        fs::write(folder.join(NEXT_CHECKPOINTS), header(&checkpoints)).unwrap();
        fs::rename(&old.path, &new).unwrap();
        fs::rename(&old.checkpoints, &checkpoints).unwrap();
        let names = [
            (checkpoints.clone(), old.checkpoints.clone()),
            (new.clone(), old.path.clone()),
            (folder.join(NEXT_CHECKPOINTS), checkpoints.clone()),
            (folder.join(NEXT), new.clone()),
        ];
        for (from, to) in names.iter().take(step) {
            fs::rename(from, to).unwrap();
        }
        // What is there is whole for who looks before the daemon does.
        let (_, before) = numbers(&folder);
        let expected = if step < 2 { 3 } else { 4 };
        assert_eq!(before.len(), expected, "step {step}");
        let (mut journal, recovery) = Journal::open(&folder, |_| {}).unwrap();
        assert_eq!(recovery.torn, None);
        let segment = if step == 0 { 1 } else { 2 };
        assert_eq!(journal.segment(), segment, "step {step}");
        journal.add(Time(1_000), Actor::Daemon, thing(9));
        journal.add_segment(Time(1_000), Standing::default());
        journal.add(Time(1_000), Actor::Daemon, thing(9));
        assert!(journal.write(), "{:?}", journal.failing());
        assert!(!folder.join(NEXT).exists() && !folder.join(NEXT_CHECKPOINTS).exists());
        drop(journal);
        let last = if step == 0 { 6 } else { 7 };
        assert_eq!(numbers(&folder).1, (1..=last).collect::<Vec<_>>());
        fs::remove_dir_all(folder).unwrap();
    }
}
