//! What is old, or too much, is removed: a bounded piece at a time.

use std::{fs, io, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension, params};
use sensor_facts::time::Time;

use super::{
    StoreError, database,
    options::Keep,
    time::{HOUR, micros},
};

/// Rows that are removed at a time.
const ROWS: i64 = 5_000;
/// Pages of the database that stay free for what comes: 32 MiB.
const SPARE: i64 = 8_192;
/// Pages given back at a time.
const PAGES: i64 = 2_048;

/// A kind of rows that is kept for a time.
struct Retained {
    name: &'static str,
    table: &'static str,
    /// The columns of its primary key.
    key: &'static str,
    /// A row is old when all these times are; those with the oldest first one go first.
    times: &'static [&'static str],
    keep: fn(&Keep) -> Duration,
    /// They go when there is too much.
    spare: bool,
}

impl Retained {
    const fn spare(mut self) -> Self {
        self.spare = true;
        self
    }

    /// The statement that removes those before `?1`, at most `?2`.
    fn remove(&self) -> String {
        let Self {
            table, key, times, ..
        } = self;
        let old: Vec<String> = times.iter().map(|time| format!("{time} < ?1")).collect();
        let (old, first) = (old.join(" AND "), times[0]);
        format!(
            "DELETE FROM {table} WHERE ({key}) IN (
                SELECT {key} FROM {table} WHERE {old} ORDER BY {first} LIMIT ?2)"
        )
    }
}

const CONTACT: &str = "hour, client, server, proto, port, app";
const WEEK: Duration = Duration::from_hours(7 * 24);

const RETAINED: [Retained; 10] = [
    kind("sessions", "session", "id", &["time"], |keep| keep.sessions).spare(),
    kind("statistics", "statistics", "id", &["time"], |keep| {
        keep.statistics
    })
    .spare(),
    kind("contacts", "contact", CONTACT, &["hour"], |keep| {
        keep.contacts
    })
    .spare(),
    kind("findings", "finding", "id", &["time"], alerts),
    kind(
        "alerts",
        "alert",
        "id, device",
        &["opened", "updated"],
        alerts,
    ),
    kind(
        "incidents",
        "incident",
        "id",
        &["opened", "updated"],
        alerts,
    ),
    kind("audit", "audit", "id", &["time"], alerts),
    kind("rules", "rule", "id", &["created", "expires"], alerts),
    kind("devices", "device", "address", &["last_seen"], alerts),
    // Flows whose end was never told.
    kind("marks", "mark", "flow_id", &["last"], |_| WEEK),
];

const fn kind(
    name: &'static str,
    table: &'static str,
    key: &'static str,
    times: &'static [&'static str],
    keep: fn(&Keep) -> Duration,
) -> Retained {
    Retained {
        name,
        table,
        key,
        times,
        keep,
        spare: false,
    }
}

fn alerts(keep: &Keep) -> Duration {
    keep.alerts
}

/// What a turn did.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// What was removed, by kind.
    pub(super) removed: Vec<(&'static str, u64)>,
    /// There is more to remove.
    pub(super) more: bool,
    /// There is too much, and nothing that may be removed.
    pub(super) too_large: bool,
}

impl Turn {
    fn add(&mut self, kind: &'static str, rows: usize, limit: i64) {
        if rows > 0 {
            self.removed.push((kind, rows as u64));
        }
        self.more |= i64::try_from(rows).is_ok_and(|rows| rows >= limit);
    }
}

/// Removes a piece of what is old or too much.
pub(super) fn turn(
    connection: &Connection,
    folder: &Path,
    keep: &Keep,
    now: Time,
) -> Result<Turn, StoreError> {
    let mut turn = Turn::default();
    let path = database::path(folder);
    let before = |keep: Duration| {
        let micros_kept = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        micros(now).saturating_sub(micros_kept)
    };
    if remove_file(connection, folder, before(keep.flows) - HOUR)? {
        turn.add("flows", 1, 1);
    }
    let sqlite = || StoreError::sqlite(&path);
    for kind in &RETAINED {
        let rows = connection
            .prepare_cached(&kind.remove())
            .and_then(|mut remove| remove.execute(params![before((kind.keep)(keep)), ROWS]))
            .map_err(sqlite())?;
        turn.add(kind.name, rows, ROWS);
    }
    if used(connection).map_err(sqlite())? > keep.bytes && !turn.more {
        shrink(connection, folder, &mut turn)?;
    }
    vacuum(connection).map_err(sqlite())?;
    Ok(turn)
}

/// Removes the oldest of what may go.
fn shrink(connection: &Connection, folder: &Path, turn: &mut Turn) -> Result<(), StoreError> {
    if remove_file(connection, folder, i64::MAX)? {
        turn.add("flows", 1, 1);
        return Ok(());
    }
    for kind in RETAINED.iter().filter(|kind| kind.spare) {
        let rows = connection
            .prepare_cached(&kind.remove())
            .and_then(|mut remove| remove.execute(params![i64::MAX, ROWS]))
            .map_err(StoreError::sqlite(database::path(folder)))?;
        if rows > 0 {
            turn.removed.push((kind.name, rows as u64));
            turn.more = true;
            return Ok(());
        }
    }
    turn.too_large = true;
    Ok(())
}

/// Removes the oldest file of flows, if its hour began before a moment.
fn remove_file(connection: &Connection, folder: &Path, before: i64) -> Result<bool, StoreError> {
    let path = database::path(folder);
    let oldest: Option<String> = connection
        .prepare_cached(
            "SELECT path FROM history WHERE complete AND hour < ? ORDER BY hour, path LIMIT 1",
        )
        .and_then(|mut oldest| oldest.query_row([before], |row| row.get(0)).optional())
        .map_err(StoreError::sqlite(&path))?;
    let Some(oldest) = oldest else {
        return Ok(false);
    };
    let file = folder.join(&oldest);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::file(file)(error));
        }
        _ => {}
    }
    // The day's folder goes with its last file.
    if let Some(day) = file.parent() {
        let _ = fs::remove_dir(day);
    }
    connection
        .execute("DELETE FROM history WHERE path = ?", [oldest])
        .map_err(StoreError::sqlite(&path))?;
    Ok(true)
}

/// Bytes of what is kept.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row(
        "SELECT (pages.page_count - free.freelist_count) * size.page_size
             + (SELECT ifnull(sum(bytes), 0) FROM history)
         FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size",
        [],
        |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
    )
}

/// Gives a piece of what is free back to the file system.
fn vacuum(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let pages = (free - SPARE).min(PAGES);
    if pages > 0 {
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({pages})"))?;
    }
    Ok(())
}
