//! What is wrong with a configuration, and where.

use std::{
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::locate;

/// Why a configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read the configuration {path}: {source}{}", hint(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// There is nothing in the file.
    #[error("{} is empty; for the defaults a comment is enough, and `wardtap config default` prints them", .0.display())]
    Empty(PathBuf),
    /// The file says something that is wrong.
    #[error("{path}{error}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        error: Mistake,
    },
}

/// What to do about a file that can't be read.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; `wardtap config default` prints one to begin with",
        io::ErrorKind::PermissionDenied => "; run as root, or as a user who may read it",
        _ => "",
    }
}

/// Something wrong in a configuration's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, the first being 1.
    pub line: Option<usize>,
    /// The key, dotted.
    pub key: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl Mistake {
    pub(super) fn at(text: &str, span: Option<Range<usize>>, what: impl Into<String>) -> Self {
        let start = span.map(|span| span.start);
        Self {
            line: start.map(|start| locate::line(text, start)),
            key: start.and_then(|start| locate::key(text, start)),
            what: what.into(),
        }
    }

    /// The same as a mistake of the file at `path`.
    #[must_use]
    pub fn in_file(self, path: &Path) -> ConfigError {
        ConfigError::Wrong {
            path: path.to_owned(),
            error: self,
        }
    }
}

/// As compilers write it behind a file's name: `:12: flow.idle_tcp: what is wrong`.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.what)
    }
}
