//! Flows on their way from the database to the files of the history, `flows/YYYY-MM-DD/HH-N.parquet`.
//!
//! A file is announced in the database, written under another name, renamed, and then registered in one transaction
//! with the mark up to where the table `flow` is in files. Whatever ends the daemon between two of these steps, each
//! flow is in the table or in one registered file: what was announced and not registered is removed at the next start.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, OptionalExtension, params};
use sensor_facts::time::Time;

use super::{
    StoreError,
    columnar::{Part, Writer},
    database,
    flow::{self, COLUMNS},
    time::{HOUR, hour, int, micros, of_micros},
};

pub(super) const FOLDER: &str = "flows";
pub(super) const ENDING: &str = "parquet";
/// What a file is called while it is written.
pub(super) const UNFINISHED: &str = "parquet.new";
const MODE: u32 = 0o640;
/// So long after its end flows of an hour are waited for, microseconds.
const GRACE: i64 = 60_000_000;
/// Rows of a row group.
const GROUP: u64 = 65_536;
/// Rows that leave the table at a time.
const PURGE: i64 = 20_000;

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Mover {
    path: String,
    cancel: Arc<AtomicBool>,
    thread: JoinHandle<Result<Moved, StoreError>>,
}

/// What came into a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) rows: u64,
    /// The last of them.
    pub(super) last: i64,
    pub(super) bytes: u64,
}

/// A file to be written: flows of one hour from a row on, at most so many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) path: String,
    first: i64,
    hour: i64,
    limit: u64,
}

fn moved(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = 'moved'")?
        .query_row([], |row| row.get(0))
}

/// Flows that are in no file.
pub(super) fn waiting(connection: &Connection) -> rusqlite::Result<u64> {
    let last: Option<i64> =
        connection.query_row("SELECT max(id) FROM flow", [], |row| row.get(0))?;
    Ok(last
        .unwrap_or(0)
        .saturating_sub(moved(connection)?)
        .max(0)
        .unsigned_abs())
}

/// Announces the next file, if one is due: its hour is over, or there are `limit` rows for it.
pub(super) fn next(
    connection: &Connection,
    folder: &Path,
    limit: u64,
    now: Time,
) -> Result<Option<Job>, StoreError> {
    let failed = || StoreError::sqlite(database::path(folder));
    let first: Option<(i64, i64)> = connection
        .prepare_cached("SELECT id, time FROM flow WHERE id > ? ORDER BY id LIMIT 1")
        .and_then(|mut first| {
            let get = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            first.query_row([moved(connection)?], get).optional()
        })
        .map_err(failed())?;
    let Some((first, time)) = first else {
        return Ok(None);
    };
    let hour = hour(time);
    let over = hour + HOUR + GRACE <= micros(now);
    if !over && waiting(connection).map_err(failed())? < limit {
        return Ok(None);
    }
    let path = free_path(connection, folder, hour).map_err(failed())?;
    connection
        .execute(
            "INSERT INTO history (path, hour, complete) VALUES (?, ?, 0)",
            params![path, hour],
        )
        .map_err(failed())?;
    Ok(Some(Job {
        path,
        first,
        hour,
        limit,
    }))
}

/// A name that no file of the hour has or had announced.
fn free_path(connection: &Connection, folder: &Path, hour: i64) -> rusqlite::Result<String> {
    let text = of_micros(hour).to_string();
    let (day, of_day) = (
        text.get(..10).unwrap_or("unknown"),
        text.get(11..13).unwrap_or("00"),
    );
    let mut taken = connection.prepare_cached("SELECT count(*) FROM history WHERE path = ?")?;
    let mut number = 1_u32;
    loop {
        let path = format!("{FOLDER}/{day}/{of_day}-{number}.{ENDING}");
        let known: i64 = taken.query_row([&path], |row| row.get(0))?;
        if known == 0 && !folder.join(&path).exists() {
            return Ok(path);
        }
        number += 1;
    }
}

impl Job {
    /// Writes the file under its name; where that fails, or it is not to be finished, nothing is left of it.
    pub(super) fn write(&self, folder: &Path, cancel: &AtomicBool) -> Result<Moved, StoreError> {
        let path = folder.join(&self.path);
        let unfinished = path.with_extension(UNFINISHED);
        let written = self
            .write_to(folder, &unfinished, cancel)
            .and_then(|moved| {
                fs::rename(&unfinished, &path).map_err(StoreError::file(&path))?;
                sync_folder(&path).map_err(StoreError::file(&path))?;
                Ok(moved)
            });
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn write_to(
        &self,
        folder: &Path,
        path: &Path,
        cancel: &AtomicBool,
    ) -> Result<Moved, StoreError> {
        let of_file = |source| StoreError::File {
            path: path.to_owned(),
            source,
        };
        let of_parquet = |source| StoreError::Parquet {
            path: path.to_owned(),
            source,
        };
        if let Some(day) = path.parent()
            && !day.is_dir()
        {
            fs::create_dir_all(day).map_err(of_file)?;
            sync_folder(day).map_err(of_file)?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(MODE)
            .open(path)
            .map_err(of_file)?;
        let connection = database::open_to_read(folder)?;
        let mut writer = Writer::new(file).map_err(of_parquet)?;
        let mut moved = Moved {
            last: self.first - 1,
            ..Moved::default()
        };
        while moved.rows < self.limit && !cancel.load(Ordering::Relaxed) {
            let (part, rows, last) = self
                .part(&connection, moved)
                .map_err(StoreError::sqlite(database::path(folder)))?;
            if rows == 0 {
                break;
            }
            writer.write(&part).map_err(of_parquet)?;
            moved.rows += rows;
            moved.last = last;
        }
        if cancel.load(Ordering::Relaxed) {
            return Err(of_file(io::ErrorKind::Interrupted.into()));
        }
        let file = writer.finish().map_err(of_parquet)?;
        file.sync_all().map_err(of_file)?;
        moved.bytes = file.metadata().map_err(of_file)?.len();
        Ok(moved)
    }

    /// The next rows: how many, and the last of them.
    fn part(&self, from: &Connection, moved: Moved) -> rusqlite::Result<(Part, u64, i64)> {
        let mut select = from.prepare_cached(&format!(
            "SELECT {}, id FROM flow WHERE id > ? ORDER BY id LIMIT ?",
            flow::names()
        ))?;
        let limit = GROUP.min(self.limit - moved.rows);
        let mut rows = select.query(params![moved.last, int(limit)])?;
        let (mut part, mut count, mut last) = (Part::new(), 0, moved.last);
        while let Some(row) = rows.next()? {
            if hour(row.get(0)?) != self.hour {
                break;
            }
            part.push(row)?;
            last = row.get(COLUMNS.len())?;
            count += 1;
        }
        Ok((part, count, last))
    }

    /// The file is there: registers it.
    pub(super) fn register(
        path: &str,
        moved: Moved,
        connection: &mut Connection,
    ) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE history SET complete = 1, rows = ?, bytes = ? WHERE path = ?",
            params![int(moved.rows), int(moved.bytes), path],
        )?;
        transaction.execute(
            "UPDATE meta SET value = ? WHERE key = 'moved'",
            [moved.last],
        )?;
        transaction.commit()
    }
}

impl Mover {
    /// Writes the file on a thread of its own.
    pub(super) fn start(job: Job, folder: &Path) -> io::Result<Self> {
        let cancel = Arc::new(AtomicBool::new(false));
        let (path, folder, asked) = (job.path.clone(), folder.to_owned(), Arc::clone(&cancel));
        let thread = thread::Builder::new()
            .name("history".into())
            .spawn(move || job.write(&folder, &asked))?;
        Ok(Self {
            path,
            cancel,
            thread,
        })
    }

    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the file and registers it; one that could not be written is announced no more.
    pub(super) fn end(self, connection: &mut Connection, folder: &Path) -> Result<(), StoreError> {
        let failed = || StoreError::sqlite(database::path(folder));
        let written = self.thread.join().unwrap_or_else(|_| {
            let path = folder.join(&self.path);
            Err(StoreError::file(path)(io::Error::other(
                "the writing thread is gone",
            )))
        });
        match written {
            Ok(moved) => Job::register(&self.path, moved, connection).map_err(failed()),
            Err(error) => {
                connection
                    .execute("DELETE FROM history WHERE path = ?", [&self.path])
                    .map_err(failed())?;
                Err(error)
            }
        }
    }

    /// Gives the file up, if it is not whole already.
    pub(super) fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

/// Removes a piece of the rows that are in files; true if there are more.
pub(super) fn purge(connection: &Connection) -> rusqlite::Result<bool> {
    let moved = moved(connection)?;
    let first: Option<i64> =
        connection.query_row("SELECT min(id) FROM flow", [], |row| row.get(0))?;
    let Some(first) = first.filter(|first| *first <= moved) else {
        return Ok(false);
    };
    let last = moved.min(first + PURGE - 1);
    connection
        .prepare_cached("DELETE FROM flow WHERE id <= ?")?
        .execute([last])?;
    Ok(last < moved)
}

/// Makes the name of a file or folder outlive a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
