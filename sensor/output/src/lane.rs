//! A lane of the output: a bounded queue, the thread behind it, and its account.
//!
//! `events offered = delivered + dropped (by reason) + still queued`, always. Who offers never waits.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use sensor_facts::{event::Event, lock::lock, rights};

/// The lanes of files, as status and metrics name them.
pub(super) const JSON: &str = "json";
pub(super) const OCSF: &str = "ocsf";
/// Names that no receiver may have.
pub const RESERVED: [&str; 3] = [JSON, OCSF, "store"];

/// Events that may wait for a receiver, or for the file of OCSF lines, where the configuration does not say.
pub(super) const QUEUE: usize = 8_192;

/// [`QUEUE`] as the default of a key.
pub(super) fn queue() -> usize {
    QUEUE
}

/// Output that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open {target} for events: {source}; see `output` in the configuration")]
pub struct OutputError {
    /// Where to.
    pub target: String,
    /// Why not.
    pub source: io::Error,
}

/// What a lane's thread does with events.
pub trait Sink: Send + 'static {
    /// Takes events until the queue is disconnected, then what is left, and ends.
    fn run(self, queue: &Receiver<Arc<Event>>, account: &Account);
}

/// What a lane is made with.
#[derive(Clone)]
pub struct LaneOptions<F = fn(&Event) -> bool> {
    /// Names it in status and metrics.
    pub name: String,
    /// Events that may wait.
    pub queue: usize,
    /// Which events it takes.
    pub wants: F,
}

/// What a lane did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputStats {
    /// The lane.
    pub name: String,
    /// Where its events go now.
    pub target: String,
    /// Events offered.
    pub offered: u64,
    /// Events delivered.
    pub events: u64,
    /// Bytes delivered.
    pub bytes: u64,
    /// Events dropped because the queue was full.
    pub dropped_queue_full: u64,
    /// Events dropped because they could not be written.
    pub dropped_write_error: u64,
    /// Events sent once more, since the receiver may not have read them the first time.
    pub resent: u64,
    /// Writes that failed.
    pub errors: u64,
    /// Why writing fails now; `None` while it works.
    pub failing: Option<String>,
}

impl OutputStats {
    /// Events that were not delivered and will not be.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped_queue_full + self.dropped_write_error
    }
}

/// A lane's account, which both its ends write.
#[derive(Debug, Default)]
pub struct Account {
    name: String,
    offered: AtomicU64,
    delivered: AtomicU64,
    bytes: AtomicU64,
    queue_full: AtomicU64,
    write_error: AtomicU64,
    resent: AtomicU64,
    errors: AtomicU64,
    closing: AtomicBool,
    failing: Mutex<Option<String>>,
    target: Mutex<String>,
}

impl Account {
    /// `events` were delivered, with so many bytes.
    pub fn delivered(&self, events: u64, bytes: u64) {
        self.delivered.fetch_add(events, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// `events` can't be delivered, and are given up.
    pub fn dropped(&self, events: u64) {
        self.write_error.fetch_add(events, Ordering::Relaxed);
    }

    /// `events` were sent once more.
    pub fn resent(&self, events: u64) {
        self.resent.fetch_add(events, Ordering::Relaxed);
    }

    /// Nothing more is offered: what is queued is the rest, and there is little time left for it. Whoever waits by
    /// [`thread::park_timeout`] is woken.
    #[must_use]
    pub fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// A write failed; true if the one before had not.
    pub fn fails(&self, why: &impl ToString) -> bool {
        self.errors.fetch_add(1, Ordering::Relaxed);
        lock(&self.failing).replace(why.to_string()).is_none()
    }

    /// Writing works; true if it had not.
    pub fn works(&self) -> bool {
        lock(&self.failing).take().is_some()
    }

    /// Events go there now.
    pub fn goes_to(&self, target: &impl ToString) {
        *lock(&self.target) = target.to_string();
    }

    /// What the lane did so far.
    #[must_use]
    pub fn stats(&self) -> OutputStats {
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        OutputStats {
            name: self.name.clone(),
            target: lock(&self.target).clone(),
            offered: get(&self.offered),
            events: get(&self.delivered),
            bytes: get(&self.bytes),
            dropped_queue_full: get(&self.queue_full),
            dropped_write_error: get(&self.write_error),
            resent: get(&self.resent),
            errors: get(&self.errors),
            failing: lock(&self.failing).clone(),
        }
    }
}

/// A writing end of a lane's queue.
#[derive(Clone)]
pub(super) struct Entrance {
    queue: SyncSender<Arc<Event>>,
    account: Arc<Account>,
    wants: Arc<dyn Fn(&Event) -> bool + Send + Sync>,
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entrance").field(&self.account.name).finish()
    }
}

impl Entrance {
    /// Queues an event, if it is wanted, waiting for room until `deadline` at most. Where there is none, it is
    /// dropped and counted.
    pub(super) fn offer(&self, event: &Arc<Event>, deadline: Option<Instant>) {
        if !(self.wants)(event) {
            return;
        }
        self.account.offered.fetch_add(1, Ordering::Relaxed);
        loop {
            match self.queue.try_send(Arc::clone(event)) {
                Ok(()) => return,
                Err(TrySendError::Disconnected(_)) => return self.account.dropped(1),
                Err(TrySendError::Full(_)) => {}
            }
            if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                self.account.queue_full.fetch_add(1, Ordering::Relaxed);
                return;
            }
            // The queue has no blocking send with a time limit.
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A lane. See the module's description.
#[derive(Debug)]
pub struct Lane {
    pub(super) entrance: Option<Entrance>,
    pub(super) account: Arc<Account>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start<F>(options: LaneOptions<F>, sink: impl Sink) -> io::Result<Self>
    where
        F: Fn(&Event) -> bool + Send + Sync + 'static,
    {
        let account = Arc::new(Account {
            name: options.name,
            ..Account::default()
        });
        let (queue, receiver) = sync_channel(options.queue.max(1));
        let shared = Arc::clone(&account);
        let thread = thread::Builder::new()
            .name("output".into())
            .spawn(move || {
                rights::drop_all();
                sink.run(&receiver, &shared);
            })?;
        Ok(Self {
            entrance: Some(Entrance {
                queue,
                account: Arc::clone(&account),
                wants: Arc::new(options.wants),
            }),
            account,
            thread: Some(thread),
        })
    }

    /// Offers nothing more.
    pub(super) fn shut(&mut self) {
        self.entrance = None;
        self.account.closing.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Waits until what is queued is delivered, and gives up at `deadline`.
    pub(super) fn join(&mut self, deadline: Instant) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() {
            let _ = thread.join();
            return;
        }
        let stats = self.account.stats();
        let lost = stats.offered.saturating_sub(stats.events + stats.dropped());
        self.account.dropped(lost);
        tracing::error!(
            lost,
            output = stats.name,
            "the output takes no more; what waits for it is given up"
        );
    }
}
