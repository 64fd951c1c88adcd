//! From rows to scores: in batches, here or on a thread of its own.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use sensor_facts::lock::lock;
use serde::{Deserialize, Serialize};

use super::{BATCH, Comparison, FEATURES, Model, Row, RunError, STRANGE, Trial, compare};

/// Rows that may wait for the thread: 17 MB.
const QUEUE: usize = 65_536;
/// Answers that may wait for who asked, in batches.
const ANSWERS: usize = 64;
/// How long a batch waits to be full.
const PATIENCE: Duration = Duration::from_millis(100);
/// The shares of the features are kept of rows that are at least this strange.
const TELL: f32 = 0.01;

/// A row to be scored, with what has to be known of it later.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRequest {
    /// The row.
    pub row: Row,
    /// The client did not know the server when it was seen.
    pub new_peer: bool,
}

/// A row with what the model said.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The row.
    pub row: Row,
    /// The client did not know the server when it was seen.
    pub new_peer: bool,
    /// How strange it is.
    pub score: f32,
    /// Share of the calibration rows that are as strange or stranger.
    pub p: f32,
    /// The least p-value that the model can give.
    pub p_floor: f32,
    /// The model: the how manieth of its slot.
    pub model: u64,
    /// What each feature has in the score; of rows that are not strange, nothing.
    pub contrib: Option<Box<[f32; FEATURES]>>,
}

/// What became of rows since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Scored.
    pub scored: u64,
    /// Of these, with a p-value of 0.001 or less.
    pub strange: u64,
    /// Not scored: too many waited.
    pub queue_full: u64,
    /// Not scored: there was no model.
    pub no_model: u64,
    /// Not scored: the model failed, or gave what is no score.
    pub failed: u64,
    /// Batches scored.
    pub batches: u64,
}

#[derive(Debug, Default)]
struct Counters {
    scored: AtomicU64,
    strange: AtomicU64,
    queue_full: AtomicU64,
    no_model: AtomicU64,
    failed: AtomicU64,
    batches: AtomicU64,
}

/// The model in use, which can be changed between two batches.
#[derive(Debug, Default)]
pub struct Slot {
    model: Mutex<Option<Model>>,
    /// How many there were.
    number: AtomicU64,
    /// Whether there is one, for who only wants to know that.
    has: AtomicBool,
    /// The last failure was said already.
    told: AtomicBool,
    counters: Counters,
}

impl Slot {
    /// With a model in it.
    #[must_use]
    pub fn with(model: Model) -> Self {
        let slot = Self::default();
        slot.swap(Some(model));
        slot
    }

    /// Puts another model in use; what was in use. Batches are scored by the one or the other, never by both.
    pub fn swap(&self, model: Option<Model>) -> Option<Model> {
        let mut current = self.lock();
        self.has.store(model.is_some(), Ordering::Relaxed);
        self.told.store(false, Ordering::Relaxed);
        self.number.fetch_add(1, Ordering::Relaxed);
        std::mem::replace(&mut *current, model)
    }

    /// Holds another model against the one in use, which scores no batch meanwhile; none where none is in use.
    ///
    /// # Errors
    /// When one of them gives no scores.
    pub fn compare(&self, new: &mut Model, trial: &Trial) -> Result<Option<Comparison>, RunError> {
        let mut current = self.lock();
        let compared = current.as_mut().map(|old| compare(old, new, trial));
        compared.transpose()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Model>> {
        lock(&self.model)
    }

    /// What became of rows since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let it = &self.counters;
        Counts {
            scored: read(&it.scored),
            strange: read(&it.strange),
            queue_full: read(&it.queue_full),
            no_model: read(&it.no_model),
            failed: read(&it.failed),
            batches: read(&it.batches),
        }
    }

    /// Scores rows in batches; what came of them is added to `scored`.
    pub fn score(&self, asked: Vec<ScoreRequest>, scored: &mut Vec<Scored>) {
        let add = |counter: &AtomicU64, rows: usize| {
            counter.fetch_add(rows as u64, Ordering::Relaxed);
        };
        let it = &self.counters;
        let mut rows = asked.into_iter();
        while rows.len() > 0 {
            let batch: Vec<ScoreRequest> = rows.by_ref().take(BATCH).collect();
            let mut slot = self.lock();
            let Some(model) = slot.as_mut() else {
                add(&it.no_model, batch.len());
                continue;
            };
            #[expect(clippy::cast_possible_truncation, reason = "p-values are f32")]
            let p_floor = model.about().p_floor as f32;
            let number = self.number.load(Ordering::Relaxed);
            let mut said = Vec::with_capacity(batch.len());
            let run = model.score(batch.iter().map(|one| &one.row.values), |_, score| {
                let contrib = (score.p <= TELL.max(p_floor))
                    .then(|| score.contrib.try_into().ok().map(Box::new))
                    .flatten();
                let sound = score.score.is_finite() && score.p > 0.0 && score.p <= 1.0;
                said.push(sound.then_some((score.score, score.p, contrib)));
            });
            drop(slot);
            if let Err(error) = run {
                add(&it.failed, batch.len());
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::error!("{} flows are not scored: {error}", batch.len());
                }
                continue;
            }
            add(&it.batches, 1);
            let (mut sound, mut strange) = (0, 0);
            let count = batch.len();
            for (ScoreRequest { row, new_peer }, said) in batch.into_iter().zip(said) {
                let Some((score, p, contrib)) = said else {
                    continue;
                };
                sound += 1;
                strange += usize::from(p <= STRANGE.max(p_floor));
                scored.push(Scored {
                    row,
                    new_peer,
                    score,
                    p,
                    p_floor,
                    model: number,
                    contrib,
                });
            }
            add(&it.scored, sound);
            add(&it.strange, strange);
            add(&it.failed, count - sound);
        }
    }
}

/// Has rows scored. See the module's description.
pub struct Scorer {
    slot: Arc<Slot>,
    waiting: Vec<ScoreRequest>,
    way: Way,
}

enum Way {
    /// By who asks, so that it is the same each time.
    Inline(Vec<Scored>),
    /// By a thread.
    Thread {
        rows: Sender<Vec<ScoreRequest>>,
        queued: Arc<AtomicUsize>,
        scored: Receiver<Vec<Scored>>,
    },
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer")
            .field("slot", &self.slot)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Scorer {
    /// Scores when a batch is full, and when it is asked for scores: for replay and evaluation.
    #[must_use]
    pub fn inline(model: Model) -> Self {
        Self::inline_of(Arc::new(Slot::with(model)))
    }

    /// The same with a slot that others have too.
    #[must_use]
    pub fn inline_of(slot: Arc<Slot>) -> Self {
        Self {
            slot,
            waiting: Vec::new(),
            way: Way::Inline(Vec::new()),
        }
    }

    /// Has a thread of its own, which ends with it.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn threaded(slot: Arc<Slot>) -> io::Result<Self> {
        let (rows, asked) = channel();
        let (answers, scored) = sync_channel(ANSWERS);
        let queued = Arc::new(AtomicUsize::new(0));
        let (ours, left) = (Arc::clone(&slot), Arc::clone(&queued));
        thread::Builder::new().name("score".into()).spawn(move || {
            sensor_facts::rights::drop_all();
            work(&ours, &asked, &left, &answers);
        })?;
        Ok(Self {
            slot,
            waiting: Vec::new(),
            way: Way::Thread {
                rows,
                queued,
                scored,
            },
        })
    }

    /// Asks for a row's score; never waits for it, but inline for a whole batch's.
    pub fn ask(&mut self, asked: ScoreRequest) {
        if !self.slot.has.load(Ordering::Relaxed) {
            self.slot.counters.no_model.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.waiting.push(asked);
        if self.waiting.len() >= BATCH {
            self.hand_over();
        }
    }

    /// The scores that came since the last time; inline, those of all rows asked for.
    pub fn take(&mut self) -> Vec<Scored> {
        if !self.waiting.is_empty() {
            self.hand_over();
        }
        match &mut self.way {
            Way::Inline(ready) => std::mem::take(ready),
            Way::Thread { scored, .. } => scored.try_iter().flatten().collect(),
        }
    }

    /// True if so many scores are there that they should be taken before more come.
    #[must_use]
    pub fn has_many(&self) -> bool {
        matches!(&self.way, Way::Inline(ready) if ready.len() >= BATCH)
    }

    fn hand_over(&mut self) {
        let batch = std::mem::take(&mut self.waiting);
        match &mut self.way {
            Way::Inline(ready) => self.slot.score(batch, ready),
            Way::Thread { rows, queued, .. } => {
                let count = batch.len();
                let full = queued.fetch_add(count, Ordering::Relaxed) + count > QUEUE;
                if full || rows.send(batch).is_err() {
                    queued.fetch_sub(count, Ordering::Relaxed);
                    let lost = &self.slot.counters.queue_full;
                    lost.fetch_add(count as u64, Ordering::Relaxed);
                }
            }
        }
    }

    /// The slot of its model.
    #[must_use]
    pub fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }
}

/// Scores what is asked until nobody asks any more.
fn work(
    slot: &Slot,
    asked: &Receiver<Vec<ScoreRequest>>,
    queued: &AtomicUsize,
    answers: &SyncSender<Vec<Scored>>,
) {
    while let Ok(mut batch) = asked.recv() {
        let full = Instant::now() + PATIENCE;
        while batch.len() < BATCH {
            match asked.recv_timeout(full.saturating_duration_since(Instant::now())) {
                Ok(more) => batch.extend(more),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let count = batch.len();
        let mut scored = Vec::with_capacity(count);
        slot.score(batch, &mut scored);
        queued.fetch_sub(count, Ordering::Relaxed);
        if answers.send(scored).is_err() {
            return;
        }
    }
}
