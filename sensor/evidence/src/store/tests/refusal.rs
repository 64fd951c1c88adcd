//! Files that can't be used.

use super::*;
use crate::store::{Reader, StoreError};

fn stats(time: i64) -> Event {
    Event::stats(Time(time), std::collections::BTreeMap::new())
}

#[test]
fn a_newer_version_is_left_alone_and_everything_counted() {
    let folder = Folder::new();
    let database = folder.database();
    database
        .execute_batch("PRAGMA user_version = 999")
        .expect("sets it");
    drop(database);
    assert!(matches!(
        Reader::open(&folder.0),
        Err(StoreError::Newer { found: 999, .. })
    ));
    let mut running = Running::quick(&folder.0);
    for time in 0..100 {
        running.send(stats(NOON + time));
    }
    let said = || running.account.stats();
    wait("all are dropped", || said().dropped() == 100);
    assert_eq!(said().events, 0);
    let failing = said().failing.expect("says why");
    assert!(failing.contains("version 999"), "{failing}");
    running.stop();
    let there = rusqlite::Connection::open(database::path(&folder.0)).expect("opens");
    assert_eq!(count(&there, "statistics"), 0);
}

#[test]
fn a_damaged_file_is_moved_aside_and_a_new_one_begun() {
    for damage in ["no database at all", ""] {
        let folder = Folder::new();
        let path = database::path(&folder.0);
        if damage.is_empty() {
            let database = folder.database();
            drop(database);
            // The schema's page is gone.
            let mut bytes = fs::read(&path).expect("reads");
            bytes[100..4_000].fill(0xaa);
            fs::write(&path, &bytes).expect("writes");
        } else {
            fs::write(&path, damage.repeat(1_000)).expect("writes");
        }
        let before = fs::read(&path).expect("reads");
        let mut running = Running::quick(&folder.0);
        running.send(stats(NOON));
        running.settle();
        let aside = running.handle.status().set_aside.expect("says where");
        assert!(aside.contains("store.sqlite.broken-"), "{aside}");
        assert_eq!(fs::read(aside).expect("is there"), before);
        running.stop();
        assert_eq!(running.account.stats().failing, None);
        assert_eq!(count(&folder.database(), "statistics"), 1);
    }
}

#[test]
fn a_folder_that_comes_later_loses_nothing() {
    let folder = Folder::new();
    let state = folder.0.join("state");
    // A file stands where the folder should be.
    fs::write(&state, "").expect("writes");
    let mut running = Running::quick(&state);
    for time in 0..100 {
        running.send(stats(NOON + time));
    }
    wait("it fails", || running.account.stats().failing.is_some());
    assert_eq!(running.account.stats().events, 0);
    fs::remove_file(&state).expect("removes");
    running.settle();
    assert_eq!(running.account.stats().dropped(), 0);
    running.stop();
    assert_eq!(
        count(&database::open(&state).expect("opens"), "statistics"),
        100
    );
}

#[test]
fn there_is_none() {
    let folder = Folder::new();
    assert!(matches!(
        Reader::open(&folder.0),
        Err(StoreError::Missing(_))
    ));
}
