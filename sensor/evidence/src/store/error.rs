//! What can go wrong with the store.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none.
    #[error("there is no store at {0}: it is made when the daemon runs with store.enabled")]
    Missing(PathBuf),
    /// A newer program wrote it.
    #[error(
        "{path} is of version {found}, and this program knows up to {known}: install the newer wardtap again, or move the file away"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The last version that is known.
        known: usize,
    },
    /// `SQLite` refused something.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: rusqlite::Error,
    },
    /// A row that can't be read.
    #[error("a row of {table} in the store can't be read by this version: {source}")]
    Row {
        /// The table.
        table: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file of the history, or the folder.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// A file of the history can't be written or read as Parquet.
    #[error("{path}: {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: parquet::errors::ParquetError,
    },
}

impl StoreError {
    pub(super) fn sqlite(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Sqlite { path, source }
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// The file is damaged: no try again will help.
    pub(super) fn is_damage(&self) -> bool {
        let Self::Sqlite { source, .. } = self else {
            return false;
        };
        matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
    }

    /// There is no space: it works again by itself, with what is open.
    pub(super) fn is_full(&self) -> bool {
        let Self::Sqlite { source, .. } = self else {
            return false;
        };
        source.sqlite_error_code() == Some(ErrorCode::DiskFull)
    }
}
