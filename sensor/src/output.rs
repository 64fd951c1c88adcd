//! JSON lines to a file or standard output, on a thread of their own, so that a slow or full disk never
//! holds up the capture.
//!
//! `events offered = lines written + events dropped (by reason) + events still queued`, always. A line is
//! in the file whole or not at all: what a failed write left of a line is cut off again. While the disk is
//! full, events are dropped and counted; writing goes on by itself when there is space again.

mod writer;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use self::writer::Writer;
use crate::event::Event;

/// Mode of a file that is made: events name hosts, which is no one else's business.
const FILE_MODE: u32 = 0o640;

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

/// Output that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open {target} for events: {source}; see `output` in the configuration")]
pub struct OutputError {
    /// Where to.
    pub target: Target,
    /// Why not.
    pub source: io::Error,
}

/// What the output did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputStats {
    /// Where lines go now.
    pub target: String,
    /// Lines written.
    pub lines: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Events dropped because the queue was full.
    pub dropped_queue_full: u64,
    /// Events dropped because they could not be written.
    pub dropped_write_error: u64,
    /// Writes that failed.
    pub errors: u64,
    /// Why writing fails now; `None` while it works.
    pub failing: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    offered: AtomicU64,
    lines: AtomicU64,
    bytes: AtomicU64,
    queue_full: AtomicU64,
    write_error: AtomicU64,
    errors: AtomicU64,
    failing: Mutex<Option<String>>,
    target: Mutex<String>,
    reopen: Mutex<Option<Target>>,
}

/// The writing end of the queue, and the thread behind it.
#[derive(Debug)]
pub struct Output {
    queue: Option<SyncSender<Box<Event>>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Another writing end of the queue.
#[derive(Clone, Debug)]
pub struct OutputSender {
    queue: SyncSender<Box<Event>>,
    shared: Arc<Shared>,
}

impl OutputSender {
    /// Queues an event without waiting; where the queue is full it is dropped and counted.
    pub fn send(&self, event: Event) {
        self.shared.offered.fetch_add(1, Ordering::Relaxed);
        let reason = match self.queue.try_send(Box::new(event)) {
            Ok(()) => return,
            Err(TrySendError::Full(_)) => &self.shared.queue_full,
            Err(TrySendError::Disconnected(_)) => &self.shared.write_error,
        };
        reason.fetch_add(1, Ordering::Relaxed);
    }
}

/// A view of the output for those who do not write to it.
#[derive(Clone, Debug)]
pub struct OutputHandle(Arc<Shared>);

impl Output {
    /// Opens `target` and starts the thread; at most `queue` events wait for it.
    ///
    /// # Errors
    /// When the target can't be opened, or no thread be started.
    pub fn start(target: Target, queue: usize) -> Result<Self, OutputError> {
        let opened = target.open();
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = sync_channel(queue.max(1));
        let thread = opened.and_then(|file| {
            let mut writer = Writer::new(file, target.clone(), Arc::clone(&shared));
            thread::Builder::new()
                .name("output".into())
                .spawn(move || writer.run(&receiver))
        });
        match thread {
            Ok(thread) => Ok(Self {
                queue: Some(sender),
                shared,
                thread: Some(thread),
            }),
            Err(source) => Err(OutputError { target, source }),
        }
    }

    /// Queues an event without waiting; where the queue is full it is dropped and counted.
    pub fn send(&self, event: Event) {
        self.shared.offered.fetch_add(1, Ordering::Relaxed);
        self.queue(Box::new(event));
    }

    fn queue(&self, event: Box<Event>) {
        let sent = self.queue.as_ref().map(|queue| queue.try_send(event));
        match sent {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_))) => {
                self.shared.queue_full.fetch_add(1, Ordering::Relaxed);
            }
            Some(Err(TrySendError::Disconnected(_))) | None => {
                self.shared.write_error.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Queues an event, waiting for room until `deadline`.
    pub fn send_until(&self, event: Event, deadline: Instant) {
        self.shared.offered.fetch_add(1, Ordering::Relaxed);
        let mut event = Box::new(event);
        while Instant::now() < deadline {
            match self.queue.as_ref().map(|queue| queue.try_send(event)) {
                Some(Ok(())) => return,
                Some(Err(TrySendError::Full(back))) => {
                    event = back;
                    // The queue has no blocking send with a time limit.
                    thread::sleep(Duration::from_millis(1));
                }
                Some(Err(TrySendError::Disconnected(_))) | None => {
                    self.shared.write_error.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
        self.queue(event);
    }

    /// Another writing end. The output can't be closed in order before it is dropped.
    #[must_use]
    pub fn sender(&self) -> Option<OutputSender> {
        Some(OutputSender {
            queue: self.queue.clone()?,
            shared: Arc::clone(&self.shared),
        })
    }

    /// A view for status and metrics.
    #[must_use]
    pub fn handle(&self) -> OutputHandle {
        OutputHandle(Arc::clone(&self.shared))
    }

    /// Writes what is queued and closes the target; what it did in all. Where the target takes nothing
    /// by `deadline`, what is left is given up.
    pub fn close(mut self, deadline: Instant) -> OutputStats {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(2));
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                let stats = self.handle().stats();
                let done = stats.lines + stats.dropped_queue_full + stats.dropped_write_error;
                let offered = self.shared.offered.load(Ordering::Relaxed);
                let lost = offered.saturating_sub(done);
                self.shared.write_error.fetch_add(lost, Ordering::Relaxed);
                tracing::error!(
                    lost,
                    "the output takes no more; what waits for it is given up"
                );
            }
        }
        self.handle().stats()
    }
}

impl OutputHandle {
    /// What the output did so far.
    #[must_use]
    pub fn stats(&self) -> OutputStats {
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        OutputStats {
            target: lock(&self.0.target).clone(),
            lines: get(&self.0.lines),
            bytes: get(&self.0.bytes),
            dropped_queue_full: get(&self.0.queue_full),
            dropped_write_error: get(&self.0.write_error),
            errors: get(&self.0.errors),
            failing: lock(&self.0.failing).clone(),
        }
    }

    /// Asks for the target to be opened anew (after its file was renamed, or to change it). Where that
    /// fails, the old one stays in use.
    pub fn reopen(&self, target: Target) {
        *lock(&self.0.reopen) = Some(target);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
