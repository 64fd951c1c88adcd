//! Lines to a file or standard output. A line is in the file whole or not at all: what a failed write left of
//! a line is cut off again. While the disk is full, events are dropped and counted; writing goes on by itself when
//! there is space again. Between two lines a file that is full is [rotated](crate::rotate).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    mem,
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, Instant},
};

use sensor_facts::{event::Event, lock::lock};

use crate::{
    format::Format,
    lane::{Account, OutputError, Sink},
    origin::Origin,
    rotate::{self, Rotation},
};

/// Mode of a file that is made: events name hosts, which is no one else's business.
const FILE_MODE: u32 = 0o640;

/// Bytes of lines that are written at once.
const BUFFER: usize = 64 * 1024;
/// Between two tries to write after a failure, and between two looks at what was asked for.
const RETRY: Duration = Duration::from_millis(250);

/// After a rotation that failed, the next is tried so long later.
const ROTATE_AGAIN: Duration = Duration::from_secs(30);

/// Where lines go, and how many are kept there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The file, or standard output.
    pub target: Target,
    /// When a file is rotated; none: never.
    pub rotation: Option<Rotation>,
    /// Events that may wait for it.
    pub queue: usize,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

impl Target {
    /// The target that a person names: `-` is standard output.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name == "-" {
            Self::Stdout
        } else {
            Self::File(name.into())
        }
    }

    fn open(&self) -> io::Result<File> {
        match self {
            Self::Stdout => Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
            Self::File(path) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(FILE_MODE)
                    .open(path)
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Asks for the target to be opened anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reopen(Arc<Mutex<Option<FileOptions>>>);

impl Reopen {
    /// Asks for it: after its file was renamed, or to change it. Where that fails, the old one stays in use.
    pub(crate) fn ask(&self, options: &FileOptions) {
        *lock(&self.0) = Some(options.clone());
    }
}

/// The sink. See the module's description.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    options: FileOptions,
    format: Format,
    origin: Origin,
    reopen: Reopen,
}

impl Lines {
    /// Opens the target.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(crate) fn open(
        options: FileOptions,
        format: Format,
        origin: Origin,
        reopen: Reopen,
    ) -> Result<Self, OutputError> {
        match options.target.open() {
            Ok(file) => Ok(Self {
                file,
                options,
                format,
                origin,
                reopen,
            }),
            Err(source) => Err(OutputError {
                target: options.target.to_string(),
                source,
            }),
        }
    }
}

impl Sink for Lines {
    fn run(self, queue: &Receiver<Arc<Event>>, account: &Account) {
        account.goes_to(&self.options.target);
        Writer {
            regular: is_regular(&self.file),
            file: self.file,
            target: self.options.target,
            rotation: self.options.rotation,
            not_rotated: None,
            format: self.format,
            origin: self.origin,
            reopen: self.reopen,
            buffer: Vec::with_capacity(2 * BUFFER),
            lines: 0,
            begun: false,
            failed: None,
            account,
        }
        .run(queue);
    }
}

/// What the thread works with.
struct Writer<'a> {
    file: File,
    /// A file that can be cut; of a pipe a line that was begun must be finished instead.
    regular: bool,
    target: Target,
    rotation: Option<Rotation>,
    /// When rotation failed.
    not_rotated: Option<Instant>,
    format: Format,
    origin: Origin,
    reopen: Reopen,
    /// Whole lines not yet written; of a pipe the first can be the rest of a line.
    buffer: Vec<u8>,
    lines: u64,
    /// The buffer begins within a line, whose beginning a pipe has taken.
    begun: bool,
    failed: Option<Instant>,
    account: &'a Account,
}

impl Writer<'_> {
    fn run(&mut self, queue: &Receiver<Arc<Event>>) {
        loop {
            self.reopen();
            self.retry();
            let event = match queue.try_recv() {
                Ok(event) => Some(event),
                Err(TryRecvError::Empty) => {
                    self.write();
                    match queue.recv_timeout(RETRY) {
                        Ok(event) => Some(event),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
                Err(TryRecvError::Disconnected) => break,
            };
            if let Some(event) = event {
                self.take(&event);
            }
        }
        self.failed = None;
        self.write();
        // Nothing will write these any more.
        let left = mem::take(&mut self.lines);
        self.account.dropped(left);
    }

    fn take(&mut self, event: &Event) {
        if self.failed.is_some() {
            self.account.dropped(1);
            return;
        }
        let (format, to) = (self.format, &mut self.buffer);
        if format.write(event, &self.origin, false, to).is_err() {
            self.account.dropped(1);
            return;
        }
        self.buffer.push(b'\n');
        self.lines += 1;
        if self.buffer.len() >= BUFFER {
            self.write();
        }
    }

    fn retry(&mut self) {
        if self.failed.is_some_and(|at| at.elapsed() >= RETRY) {
            self.failed = None;
            self.write();
        }
    }

    fn reopen(&mut self) {
        let Some(options) = lock(&self.reopen.0).take() else {
            return;
        };
        let target = options.target;
        self.write();
        self.rotation = options.rotation;
        self.not_rotated = None;
        match target.open() {
            Ok(file) => {
                if mem::take(&mut self.begun) {
                    let end = self.buffer.iter().position(|byte| *byte == b'\n');
                    self.buffer.drain(..end.map_or(0, |at| at + 1));
                    self.lines = self.lines.saturating_sub(1);
                    self.account.dropped(1);
                }
                self.regular = is_regular(&file);
                self.file = file;
                self.account.goes_to(&target);
                self.target = target;
                self.failed = None;
                tracing::info!(target = %self.target, "events go to the reopened output");
            }
            Err(error) => tracing::error!(
                old = %self.target,
                "can't reopen the output as {target}: {error}; the old one stays in use"
            ),
        }
    }

    /// Rotates the file, if the buffer has no room in it.
    fn rotate(&mut self) {
        let (Some(rotation), Target::File(path)) = (self.rotation, &self.target) else {
            return;
        };
        // Of a line that was begun the rest has to follow in the same file.
        if !self.regular
            || self.begun
            || self
                .not_rotated
                .is_some_and(|at| at.elapsed() < ROTATE_AGAIN)
        {
            return;
        }
        let size = self.file.metadata().map_or(0, |meta| meta.len());
        if size == 0 || size + self.buffer.len() as u64 <= rotation.size {
            return;
        }
        match self.next_file(path, rotation.keep) {
            Ok(file) => {
                self.file = file;
                if self.not_rotated.take().is_some() {
                    self.account.goes_to(&self.target);
                }
            }
            Err(error) => {
                if self.not_rotated.replace(Instant::now()).is_none() {
                    tracing::error!(target = %self.target, "can't rotate the file of events, which grows: {error}");
                }
                self.account
                    .goes_to(&format!("{} (not rotated: {error})", self.target));
            }
        }
    }

    fn next_file(&self, path: &Path, keep: u32) -> io::Result<File> {
        // The file itself, where the path is a link to it.
        let file = fs::canonicalize(path)?;
        let (here, there) = (self.file.metadata()?, fs::metadata(&file)?);
        if (here.dev(), here.ino()) != (there.dev(), there.ino()) {
            // Someone else has rotated.
            return self.target.open();
        }
        rotate::rotate(&file, keep)?;
        self.target.open().inspect_err(|_| {
            let _ = rotate::undo(&file);
        })
    }

    /// Writes the buffer.
    fn write(&mut self) {
        if self.failed.is_some() || self.buffer.is_empty() {
            return;
        }
        self.rotate();
        let mut written = 0;
        let result = loop {
            match self.buffer.get(written..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.file.write(rest) {
                    Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Err(error),
                },
            }
        };
        let done = self.buffer.get(..written).unwrap_or_default();
        let lines = done.split(|byte| *byte == b'\n').skip(1).count() as u64;
        if result.is_err() && self.regular {
            // The part of a line at the end is taken back, and written again with the rest.
            let whole = done
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            if cut(&self.file, (written - whole) as u64).is_ok() {
                written = whole;
            }
        }
        if let Some(last) = written.checked_sub(1).and_then(|at| self.buffer.get(at)) {
            self.begun = *last != b'\n';
        }
        self.buffer.drain(..written);
        self.lines -= lines.min(self.lines);
        self.account.delivered(lines, written as u64);
        match result {
            Ok(()) => self.works(),
            Err(error) => self.fails(&error),
        }
    }

    fn works(&mut self) {
        if self.account.works() {
            let dropped = self.account.stats().dropped_write_error;
            tracing::warn!(target = %self.target, dropped, "events are written again");
        }
    }

    fn fails(&mut self, error: &io::Error) {
        self.failed = Some(Instant::now());
        if self.account.fails(error) {
            tracing::error!(
                target = %self.target,
                "can't write events: {error}; they are dropped and counted until it works again"
            );
        }
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

/// Takes `count` bytes off the end of a file.
fn cut(file: &File, count: u64) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(count))
}
