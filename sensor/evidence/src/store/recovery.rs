//! Puts the files of flows and their register in order, when a database is opened.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, params};

use super::{
    StoreError, columnar, database,
    history::{ENDING, FOLDER, UNFINISHED},
    time::int,
};

/// Makes files and their register agree, after whatever ended the daemon before.
pub(super) fn recover(connection: &Connection, folder: &Path) -> Result<(), StoreError> {
    let failed = || StoreError::sqlite(database::path(folder));
    let registered: Vec<(String, bool)> = connection
        .prepare("SELECT path, complete FROM history")
        .and_then(|mut all| {
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(failed())?;
    for (path, complete) in &registered {
        let file = folder.join(path);
        if *complete && file.exists() {
            continue;
        }
        if *complete {
            tracing::warn!(
                path,
                "a file of flows is gone; it is not in the store any more"
            );
        } else {
            remove(&file)?;
        }
        connection
            .execute("DELETE FROM history WHERE path = ?", [path])
            .map_err(failed())?;
    }
    for file in files(&folder.join(FOLDER))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(UNFINISHED) {
            remove(&file)?;
        } else if name.ends_with(ENDING) {
            adopt(connection, folder, &file)?;
        }
    }
    Ok(())
}

/// Registers a file that is there: the database before this one was damaged.
fn adopt(connection: &Connection, folder: &Path, file: &Path) -> Result<(), StoreError> {
    let Ok(path) = file.strip_prefix(folder) else {
        return Ok(());
    };
    let path = path.to_string_lossy();
    let Some(hour) = hour_of(&path) else {
        return Ok(());
    };
    let rows = match columnar::rows(file) {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%path, "a file of flows can't be read, and is not counted: {error}");
            return Ok(());
        }
    };
    let bytes = file.metadata().map_or(0, |meta| meta.len());
    connection
        .execute(
            "INSERT OR IGNORE INTO history VALUES (?, ?, 1, ?, ?)",
            params![path, hour, rows, int(bytes)],
        )
        .map_err(StoreError::sqlite(database::path(folder)))?;
    Ok(())
}

/// The hour that a path names.
fn hour_of(path: &str) -> Option<i64> {
    let (day, name) = path
        .strip_prefix(FOLDER)?
        .strip_prefix('/')?
        .split_once('/')?;
    let (hour, _) = name.split_once('-')?;
    let time: jiff::Timestamp = format!("{day}T{hour}:00:00Z").parse().ok()?;
    Some(time.as_microsecond())
}

fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file(file)(error)),
        _ => Ok(()),
    }
}

/// All files of the days' folders.
fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut all = Vec::new();
    for day in entries(folder)? {
        if day.is_dir() {
            all.extend(entries(&day)?);
        }
    }
    Ok(all)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let list = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        list => list.map_err(StoreError::file(folder))?,
    };
    list.map(|entry| Ok(entry.map_err(StoreError::file(folder))?.path()))
        .collect()
}
