//! The file `store.sqlite`: opening, versions, and what is done with a damaged one.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use sensor_facts::time::Time;

use super::StoreError;

const FILE: &str = "store.sqlite";
/// Events name hosts, which is no one else's business.
const MODE: u32 = 0o640;
/// What makes version N of N - 1.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];
/// Who finds the file locked waits so long.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that are kept prepared.
const STATEMENTS: usize = 64;
/// A file up to this size is looked through when it is opened.
const CHECKED: u64 = 256 << 20;

/// The store's file in a state directory.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Opens the file for writing, makes it if it is not there, and brings it to this program's version.
pub(super) fn open(folder: &Path) -> Result<Connection, StoreError> {
    let path = path(folder);
    fs::create_dir_all(folder).map_err(StoreError::file(folder))?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(MODE)
        .open(&path)
        .map_err(StoreError::file(&path))?;
    let sqlite = || StoreError::sqlite(&path);
    let mut connection = Connection::open(&path).map_err(sqlite())?;
    connection.busy_timeout(BUSY).map_err(sqlite())?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // What is committed outlives a loss of power (synchronous = FULL), and space comes back in small turns. Pages that
    // each batch writes (contacts, indices) go from the log (16 MiB) to the file once for several batches.
    connection
        .execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA wal_autocheckpoint = 4096;
             PRAGMA cache_size = -16384;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(sqlite())?;
    check(&connection, &path)?;
    migrate(&mut connection, &path, MIGRATIONS)?;
    Ok(connection)
}

/// Opens the file for reading.
pub(super) fn open_to_read(folder: &Path) -> Result<Connection, StoreError> {
    let path = path(folder);
    if !path.is_file() {
        return Err(StoreError::Missing(path));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(&path, flags).map_err(StoreError::sqlite(&path))?;
    connection
        .busy_timeout(BUSY)
        .map_err(StoreError::sqlite(&path))?;
    match version(&connection).map_err(StoreError::sqlite(&path))? {
        found if found > MIGRATIONS.len() => Err(StoreError::Newer {
            path,
            found,
            known: MIGRATIONS.len(),
        }),
        // The daemon makes it just now.
        0 => Err(StoreError::Missing(path)),
        _ => Ok(connection),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
}

/// Damage that shows at once; of a small file all that does.
fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let size = fs::metadata(path).map_or(0, |meta| meta.len());
    if size > CHECKED {
        return Ok(());
    }
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(StoreError::sqlite(path))?;
    if said == "ok" {
        return Ok(());
    }
    let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(StoreError::sqlite(path)(rusqlite::Error::SqliteFailure(
        damage,
        Some(said),
    )))
}

fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let found = version(connection).map_err(StoreError::sqlite(path))?;
    let Some(missing) = migrations.get(found..) else {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: migrations.len(),
        });
    };
    for (number, migration) in (found + 1..).zip(missing) {
        let step = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch(migration)?;
            transaction.execute_batch(&format!("PRAGMA user_version = {number}"))?;
            transaction.commit()
        };
        step(connection).map_err(StoreError::sqlite(path))?;
    }
    Ok(())
}

/// Moves a damaged file aside, with what belongs to it; where it is now.
pub(super) fn set_aside(folder: &Path, now: Time) -> Result<PathBuf, StoreError> {
    let path = path(folder);
    let time = now.to_string().replace(':', "");
    let aside = folder.join(format!("{FILE}.broken-{time}"));
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (with(&path, suffix), with(&aside, suffix));
        match fs::rename(&from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::file(from)(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
