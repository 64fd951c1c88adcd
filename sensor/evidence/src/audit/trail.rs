//! The journal on a thread of its own: containment never waits for a disk, and who has to know that
//! something is on the disk waits for that alone.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_facts::{action::Action, lock::lock, rule::Actor, time::Time};

use super::journal::Journal;

/// Entries on their way to the thread; while it hangs in a write, what comes beyond is dropped and
/// counted.
const QUEUE: usize = 4_096;
/// Between two tries of a disk that does not take the entries.
const AGAIN: Duration = Duration::from_secs(1);

type Entry = (Time, Actor, Action);

/// How the trail fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStatus {
    /// Entries on the disk.
    pub entries: u64,
    /// Entries that wait for the disk.
    pub waiting: u64,
    /// Entries that were dropped because too many waited.
    pub dropped: u64,
    /// Why the trail can't be written now; `None` while it can.
    pub failing: Option<String>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Entries given to the thread.
    given: u64,
    /// Of these, those that it has tried to write.
    tried: u64,
    status: TrailStatus,
}

#[derive(Debug, Default)]
struct Shared {
    progress: Mutex<Progress>,
    moved: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }
}

/// The trail's writing end.
#[derive(Debug)]
pub struct Trail {
    path: PathBuf,
    queue: Option<SyncSender<Entry>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Everything that was recorded up to a moment.
#[derive(Clone, Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    number: u64,
}

impl Ticket {
    /// Waits until all of it was written, or could not be; at most so long. False if the time was over.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut progress = self.shared.lock();
        while progress.tried < self.number {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.shared.moved.wait_timeout(progress, left);
            progress = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Trail {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(journal: Journal) -> std::io::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        let path = journal.path().to_owned();
        let shared = Arc::new(Shared::default());
        shared.lock().status.entries = journal.entries();
        let progress = Arc::clone(&shared);
        let thread = thread::Builder::new().name("trail".into()).spawn(move || {
            sensor_facts::rights::drop_all();
            run(journal, &entries, &progress);
        })?;
        Ok(Self {
            path,
            queue: Some(queue),
            shared,
            thread: Some(thread),
        })
    }

    /// Has something written down.
    pub fn record(&self, time: Time, actor: Actor, action: Action) {
        // Before the thread can have tried it.
        let mut progress = self.shared.lock();
        let sent = self
            .queue
            .as_ref()
            .is_some_and(|queue| queue.try_send((time, actor, action)).is_ok());
        if sent {
            progress.given += 1;
        } else {
            progress.status.dropped += 1;
        }
    }

    /// For what was recorded so far.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket {
            number: self.shared.lock().given,
            shared: Arc::clone(&self.shared),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it fares.
    #[must_use]
    pub fn status(&self) -> TrailStatus {
        let progress = self.shared.lock();
        let mut status = progress.status.clone();
        status.waiting += progress.given - progress.tried;
        status
    }
}

impl Drop for Trail {
    /// Writes what is still on its way.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the audit trail's thread panicked");
        }
    }
}

/// Writes what comes, all that is there with one synchronisation.
fn run(mut journal: Journal, entries: &Receiver<Entry>, shared: &Shared) {
    let mut dropped = 0;
    loop {
        let mut count = 0;
        match entries.recv_timeout(AGAIN) {
            Ok((time, actor, action)) => {
                journal.add(time, actor, action);
                count = 1;
                for (time, actor, action) in entries.try_iter() {
                    journal.add(time, actor, action);
                    count += 1;
                }
            }
            Err(RecvTimeoutError::Timeout) if journal.is_settled() => continue,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        journal.write();
        let mut progress = shared.lock();
        // Others are dropped on their way here.
        progress.status.dropped += journal.dropped() - dropped;
        dropped = journal.dropped();
        progress.status.entries = journal.entries();
        progress.status.waiting = journal.waiting() as u64;
        progress.status.failing = journal.failing().map(str::to_owned);
        progress.tried += count;
        shared.moved.notify_all();
    }
}
