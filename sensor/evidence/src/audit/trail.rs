//! The journal on a thread of its own: containment never waits for a disk, and who has to know that
//! something is on the disk waits for that alone.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_facts::{
    action::{Action, Standing},
    lock::lock,
    rule::Actor,
    time::Time,
};

use super::{
    caretaker::{Caretaker, Check},
    journal::{Item, Journal},
    options::TrailOptions,
};

/// Entries that may wait for the disk; of what comes beyond, what changed nothing is dropped and counted.
const QUEUE: usize = 4_096;
/// Changes that people ask for may fill the queue to here, and are refused beyond.
const QUEUE_CHANGES: usize = 2 * QUEUE;
/// What has happened already, such as a rule that ended or was lifted, has this room.
const QUEUE_MAX: usize = 16 * QUEUE;
/// Between two tries of a disk that does not take the entries.
const AGAIN: Duration = Duration::from_secs(1);

/// How the trail fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStatus {
    /// Number of the last entry on the disk.
    pub entries: u64,
    /// Entries that wait for the disk.
    pub waiting: u64,
    /// Entries that were dropped because too many waited.
    pub dropped: u64,
    /// Why the trail can't be written now; `None` while it can.
    pub failing: Option<String>,
    /// The segment that is written.
    pub segment: u64,
    /// How the segments before it fare.
    pub check: Check,
}

/// Why something is not known to be on the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The disk refuses; the entry waits, and is written when the disk takes it.
    #[error("the disk does not take the audit trail: {0}")]
    Failing(String),
    /// The disk did not answer in time; the entry waits.
    #[error("the disk did not take the audit trail in time")]
    Late,
}

/// Entries that had no room.
#[derive(Clone, Copy, Debug)]
struct Lost {
    count: u64,
    first: Time,
    last: Time,
}

#[derive(Debug, Default)]
struct Progress {
    queue: VecDeque<Item>,
    /// What was put in the queue.
    given: u64,
    /// Of that, what is on the disk.
    written: u64,
    /// Times that writing was tried.
    attempts: u64,
    lost: Option<Lost>,
    /// No more comes.
    closing: bool,
    /// The segment is full, and the next one was not asked for yet.
    full: bool,
    /// What the trail wrote down by itself, for the events.
    own: Vec<(Time, Actor, Action)>,
    status: TrailStatus,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    progress: Mutex<Progress>,
    /// Something was put in the queue, or no more comes.
    came: Condvar,
    /// Writing was tried.
    moved: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    pub(super) fn check(&self, change: impl FnOnce(&mut Check)) {
        change(&mut self.lock().status.check);
    }

    /// Has something written down that the trail did to itself, for which a number to wait for.
    pub(super) fn record_own(&self, time: Time, action: Action) -> u64 {
        let mut progress = self.lock();
        progress.own.push((time, Actor::Daemon, action.clone()));
        progress.put(Item::Entry(time, Actor::Daemon, Box::new(action)));
        let number = progress.given;
        drop(progress);
        self.came.notify_all();
        number
    }

    /// The segment that is written, and whether what has this number is on the disk.
    pub(super) fn reached(&self, number: u64) -> (u64, bool) {
        let progress = self.lock();
        (progress.status.segment, progress.written >= number)
    }
}

impl Progress {
    fn put(&mut self, item: Item) {
        self.queue.push_back(item);
        self.given += 1;
    }

    fn waiting(&self) -> u64 {
        self.given - self.written
    }

    fn has_room(&self, limit: usize) -> bool {
        self.waiting() < limit as u64
    }
}

/// The trail's writing end.
#[derive(Debug)]
pub struct Trail {
    path: PathBuf,
    options: TrailOptions,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Ends by itself.
    _caretaker: Caretaker,
}

/// Everything that was recorded up to a moment.
#[derive(Clone, Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    number: u64,
    attempts: u64,
}

impl Ticket {
    /// Waits until all of it is on the disk, at most so long.
    ///
    /// # Errors
    /// [`NotWritten`]: it is not known to be there. It still waits, and is written if the disk takes it later.
    pub fn wait(&self, limit: Duration) -> Result<(), NotWritten> {
        let end = Instant::now() + limit;
        let mut progress = self.shared.lock();
        loop {
            if progress.written >= self.number {
                return Ok(());
            }
            if progress.attempts > self.attempts
                && let Some(why) = &progress.status.failing
            {
                return Err(NotWritten::Failing(why.clone()));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotWritten::Late);
            }
            let woken = self.shared.moved.wait_timeout(progress, left);
            progress = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// How much room an entry has in the queue.
const fn room(action: &Action) -> usize {
    match action {
        Action::Decided(_)
        | Action::DecidedAgain(_)
        | Action::Effect { .. }
        | Action::Reset { .. }
        | Action::Refused { .. } => QUEUE,
        // Without its entry it is not given out.
        Action::Exported { .. } => QUEUE_CHANGES,
        // Whoever asks for a change is refused before, by `has_room`.
        _ => QUEUE_MAX,
    }
}

impl Trail {
    /// Starts the thread that writes, and the one that looks after the older segments.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(journal: Journal, options: TrailOptions) -> std::io::Result<Self> {
        let path = journal.path().to_owned();
        let shared = Arc::new(Shared::default());
        {
            let mut progress = shared.lock();
            progress.status.entries = journal.entries();
            progress.status.segment = journal.segment();
            progress.full = journal.bytes() >= options.segment_bytes;
        }
        let caretaker = Caretaker::start(&journal, options.clone(), Arc::downgrade(&shared))?;
        let (progress, bytes) = (Arc::clone(&shared), options.segment_bytes);
        let thread = thread::Builder::new().name("trail".into()).spawn(move || {
            sensor_facts::rights::drop_all();
            run(journal, bytes, &progress);
        })?;
        Ok(Self {
            path,
            options,
            shared,
            thread: Some(thread),
            _caretaker: caretaker,
        })
    }

    /// Has something written down; false if too much waits for the disk, so that it never will be.
    #[must_use]
    pub fn record(&self, time: Time, actor: Actor, action: Action) -> bool {
        let room = room(&action);
        let mut progress = self.shared.lock();
        let taken = progress.has_room(room);
        if taken {
            progress.put(Item::Entry(time, actor, Box::new(action)));
        } else {
            progress.status.dropped += 1;
            let lost = progress.lost.get_or_insert(Lost {
                count: 0,
                first: time,
                last: time,
            });
            lost.count += 1;
            lost.last = time;
        }
        drop(progress);
        self.shared.came.notify_all();
        taken
    }

    /// True if a change that someone asks for would be written down.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.shared.lock().has_room(QUEUE_CHANGES)
    }

    /// True once if the segment is full: the next one is to be begun.
    #[must_use]
    pub fn is_full(&self) -> bool {
        std::mem::take(&mut self.shared.lock().full)
    }

    /// Begins the next segment with what everything that was recorded so far leaves in force.
    pub fn begin_segment(&self, time: Time, standing: Standing) {
        let item = Item::Segment(time, Box::new(standing));
        self.shared.lock().put(item);
        self.shared.came.notify_all();
    }

    /// For what was recorded so far.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        let progress = self.shared.lock();
        Ticket {
            number: progress.given,
            attempts: progress.attempts,
            shared: Arc::clone(&self.shared),
        }
    }

    /// What the trail wrote down by itself since the last time this was asked.
    #[must_use]
    pub fn take_own(&self) -> Vec<(Time, Actor, Action)> {
        std::mem::take(&mut self.shared.lock().own)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is made with.
    #[must_use]
    pub const fn options(&self) -> &TrailOptions {
        &self.options
    }

    /// How it fares.
    #[must_use]
    pub fn status(&self) -> TrailStatus {
        let progress = self.shared.lock();
        TrailStatus {
            waiting: progress.waiting(),
            ..progress.status.clone()
        }
    }
}

impl Drop for Trail {
    /// Writes what is still on its way.
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.came.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the audit trail's thread panicked");
        }
    }
}

/// Waits for something to write; what there is, and whether no more comes.
fn next(shared: &Shared, journal: &Journal) -> (Vec<Item>, bool) {
    let mut progress = shared.lock();
    if journal.waiting() > 0 {
        // The disk refuses: the rest waits where its room is counted. Each thing that comes is a reason to try again.
        if !progress.closing {
            let woken = shared.came.wait_timeout(progress, AGAIN);
            progress = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        return (Vec::new(), progress.closing);
    }
    while progress.queue.is_empty() && progress.lost.is_none() && !progress.closing {
        let woken = shared.came.wait_timeout(progress, AGAIN);
        let (again, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
        progress = again;
        if timeout.timed_out() && !journal.is_settled() {
            break;
        }
    }
    let mut items: Vec<_> = progress.queue.drain(..).collect();
    if let Some(Lost { count, first, last }) = progress.lost.take() {
        let action = Action::EntriesDropped { count, first, last };
        progress.own.push((last, Actor::Daemon, action.clone()));
        progress.given += 1;
        items.push(Item::Entry(last, Actor::Daemon, Box::new(action)));
    }
    (items, progress.closing)
}

/// Writes what comes, all that is there with one synchronisation.
fn run(mut journal: Journal, segment_bytes: u64, shared: &Shared) {
    // A segment that was full at the start was asked for already.
    let full = journal.bytes() >= segment_bytes;
    let mut asked = journal.segment() - u64::from(!full);
    loop {
        let (items, closing) = next(shared, &journal);
        for item in items {
            journal.take(item);
        }
        journal.write();
        let mut progress = shared.lock();
        progress.attempts += 1;
        progress.written = progress.given - (progress.queue.len() + journal.waiting()) as u64;
        progress.status.entries = journal.entries();
        progress.status.segment = journal.segment();
        progress.status.failing = journal.failing().map(str::to_owned);
        if journal.bytes() >= segment_bytes && asked < journal.segment() {
            asked = journal.segment();
            progress.full = true;
        }
        let done = closing && (progress.queue.is_empty() || progress.status.failing.is_some());
        drop(progress);
        shared.moved.notify_all();
        if done {
            return;
        }
    }
}
