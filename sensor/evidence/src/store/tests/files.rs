//! Flows on their way to the files: whatever ends the daemon between two steps, each is in one place.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::store::{
    columnar,
    history::{self, Job},
    recovery,
};

const FLOWS: u64 = 10;

/// Flows of two hours, committed.
fn spooled(folder: &Folder) -> Connection {
    let mut running = Running::start(StoreOptions {
        // None is due by its number, and the clock of the test is the one that counts.
        rows: u64::MAX,
        wait: Duration::from_millis(2),
        ..StoreOptions::new(&folder.0)
    });
    for id in 0..FLOWS {
        // Tomorrow, as the thread's clock goes: it has no file to write.
        let hour = later() + if id < FLOWS / 2 { 0 } else { HOUR };
        running.send(flow(id, hour, hour + SECOND, FlowWhy::Closed, (1, 1)));
    }
    running.settle();
    running.stop();
    folder.database()
}

fn later() -> i64 {
    let now = sensor_facts::clock::now().0;
    now.div_euclid(DAY) * DAY + 2 * DAY
}

fn due(connection: &Connection, folder: &Folder) -> Option<Job> {
    history::next(connection, &folder.0, 1_000, Time(later() + 3 * HOUR)).expect("looks")
}

fn write(job: &Job, folder: &Folder) -> history::Moved {
    job.write(&folder.0, &AtomicBool::new(false))
        .expect("writes")
}

/// Flows in the table and in the registered files.
fn places(connection: &Connection, folder: &Folder) -> (u64, i64) {
    let waiting = history::waiting(connection).expect("counts");
    let mut paths = connection
        .prepare("SELECT path FROM history WHERE complete")
        .expect("prepares");
    let paths = paths.query_map([], |row| row.get(0)).expect("lists");
    let files: i64 = paths
        .map(|path: rusqlite::Result<String>| {
            columnar::rows(&folder.0.join(path.expect("reads"))).expect("a good file")
        })
        .sum();
    (waiting, files)
}

#[test]
fn a_file_an_hour_and_no_row_twice() {
    let folder = Folder::new();
    let mut connection = spooled(&folder);
    for (waiting, files) in [(5, 5), (0, 10)] {
        let job = due(&connection, &folder).expect("an hour is over");
        let moved = write(&job, &folder);
        assert_eq!(moved.rows, FLOWS / 2);
        Job::register(&job.path, moved, &mut connection).expect("registers");
        assert_eq!(places(&connection, &folder), (waiting, files));
    }
    assert_eq!(due(&connection, &folder), None);
    assert!(!history::purge(&connection).expect("removes"));
    assert_eq!(count(&connection, "flow"), 0);
    assert_eq!(places(&connection, &folder), (0, 10));
}

#[test]
fn an_end_after_the_announcement_or_in_the_file_leaves_nothing() {
    let folder = Folder::new();
    let connection = spooled(&folder);
    let job = due(&connection, &folder).expect("is due");
    let unfinished = folder.0.join(&job.path).with_extension("parquet.new");
    fs::create_dir_all(unfinished.parent().expect("a folder")).expect("makes it");
    fs::write(&unfinished, "half of it").expect("writes");
    recovery::recover(&connection, &folder.0).expect("recovers");
    assert!(!unfinished.exists());
    assert_eq!(places(&connection, &folder), (FLOWS, 0));
    assert_eq!(due(&connection, &folder).expect("again").path, job.path);
}

#[test]
fn an_end_before_the_registration_leaves_the_rows_and_no_file() {
    let folder = Folder::new();
    let connection = spooled(&folder);
    let job = due(&connection, &folder).expect("is due");
    write(&job, &folder);
    assert!(folder.0.join(&job.path).exists());
    recovery::recover(&connection, &folder.0).expect("recovers");
    assert!(!folder.0.join(&job.path).exists());
    assert_eq!(places(&connection, &folder), (FLOWS, 0));
}

#[test]
fn an_end_after_the_registration_leaves_the_file_and_its_rows_count_no_more() {
    let folder = Folder::new();
    let mut connection = spooled(&folder);
    let job = due(&connection, &folder).expect("is due");
    let moved = write(&job, &folder);
    Job::register(&job.path, moved, &mut connection).expect("registers");
    recovery::recover(&connection, &folder.0).expect("recovers");
    assert_eq!(
        count(&connection, "flow"),
        i64::try_from(FLOWS).expect("small")
    );
    assert_eq!(places(&connection, &folder), (FLOWS / 2, 5));
    history::purge(&connection).expect("removes");
    assert_eq!(count(&connection, "flow"), 5);
    // The numbers of rows go on, so that none that comes is taken for one that is in a file.
    assert_eq!(places(&connection, &folder), (FLOWS / 2, 5));
}

#[test]
fn files_of_a_lost_database_are_taken_over() {
    let folder = Folder::new();
    let mut connection = spooled(&folder);
    let job = due(&connection, &folder).expect("is due");
    let moved = write(&job, &folder);
    Job::register(&job.path, moved, &mut connection).expect("registers");
    drop(connection);
    fs::remove_file(database::path(&folder.0)).expect("removes");
    let connection = folder.database();
    recovery::recover(&connection, &folder.0).expect("recovers");
    assert_eq!(places(&connection, &folder), (0, 5));
}

#[test]
fn a_cancelled_file_leaves_nothing() {
    let folder = Folder::new();
    let connection = spooled(&folder);
    let job = due(&connection, &folder).expect("is due");
    job.write(&folder.0, &AtomicBool::new(true))
        .expect_err("is cancelled");
    let day = folder.0.join(&job.path);
    let left = fs::read_dir(day.parent().expect("a folder")).expect("lists");
    assert_eq!(left.count(), 0);
}
