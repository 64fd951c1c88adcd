//! What is old, or too much, goes; the oldest first, and evidence not for want of space.

use super::*;
use crate::store::{options::Keep, retention};

/// A row for each day before `NOON` in each table, and a file of flows.
fn filled(folder: &Folder, days: i64) -> Connection {
    let connection = folder.database();
    connection.execute_batch("BEGIN").expect("begins");
    for day in 0..days {
        let time = (NOON - day * DAY) / 1_000;
        let hour = time - time % 3_600_000_000;
        let path = format!("flows/day-{day}/12-1.parquet");
        let file = folder.0.join(&path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("makes it");
        fs::write(&file, vec![0; 1_000]).expect("writes");
        for (query, values) in [
            (
                "INSERT INTO session (time, kind, event) VALUES (?1, 'tls', ?2)",
                "{}",
            ),
            (
                "INSERT INTO statistics (time, counters) VALUES (?1, ?2)",
                "{}",
            ),
            (
                "INSERT INTO audit (time, actor, action, audit) VALUES (?1, '', '', ?2)",
                "{}",
            ),
            (
                "INSERT INTO contact VALUES (?1, ?2, '', '', 0, '', 0, 0, 0, 0, 0, 0)",
                "10.0.0.1",
            ),
        ] {
            connection
                .execute(query, rusqlite::params![time, values])
                .expect("fills");
        }
        connection
            .execute(
                "INSERT INTO history VALUES (?, ?, 1, 1, 1000)",
                rusqlite::params![path, hour],
            )
            .expect("fills");
    }
    connection.execute_batch("COMMIT").expect("commits");
    connection
}

fn run(connection: &Connection, folder: &Folder, keep: &Keep) -> retention::Turn {
    let mut turns = 0;
    loop {
        let turn = retention::turn(connection, &folder.0, keep, Time(NOON)).expect("removes");
        if !turn.more {
            return turn;
        }
        turns += 1;
        assert!(turns < 1_000, "it has no end");
    }
}

fn files(folder: &Folder) -> usize {
    fs::read_dir(folder.0.join("flows")).expect("lists").count()
}

#[test]
fn each_kind_is_kept_for_its_time() {
    let folder = Folder::new();
    let connection = filled(&folder, 400);
    let turn = run(&connection, &folder, &Keep::default());
    assert!(!turn.too_large);
    assert_eq!(count(&connection, "session"), 91);
    assert_eq!(count(&connection, "statistics"), 91);
    assert_eq!(count(&connection, "contact"), 367);
    assert_eq!(count(&connection, "audit"), 400);
    assert_eq!(count(&connection, "history"), 31);
    assert_eq!(files(&folder), 31);
}

#[test]
fn for_want_of_space_the_oldest_flows_go_first_then_sessions() {
    let folder = Folder::new();
    let connection = filled(&folder, 20);
    let size: i64 = connection
        .query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0),
        )
        .expect("reads");
    let keep = |bytes| Keep {
        bytes,
        ..Keep::default()
    };
    // Room for five files.
    run(&connection, &folder, &keep(size.unsigned_abs() + 5_000));
    assert_eq!(files(&folder), 5);
    assert!(folder.0.join("flows/day-0").exists());
    assert!(!folder.0.join("flows/day-5").exists());
    assert_eq!(count(&connection, "session"), 20);
    // Room for nothing.
    let turn = run(&connection, &folder, &keep(0));
    assert!(turn.too_large);
    assert_eq!(files(&folder), 0);
    for table in ["session", "statistics", "contact"] {
        assert_eq!(count(&connection, table), 0, "{table}");
    }
    assert_eq!(count(&connection, "audit"), 20);
}
