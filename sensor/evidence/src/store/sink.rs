//! The store's thread: takes events, commits them in batches, and keeps house in between.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use sensor_facts::{clock, event::Event};
use sensor_output::lane::{Account, Lane, LaneOptions, Sink};

use super::{
    StoreError, StoreHandle, StoreOptions,
    batch::{Batch, write_devices},
    database,
    history::{self, Mover},
    recovery, retention,
    time::of_micros,
};

/// Between two tries after a failure, at first and at most.
const RETRY: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Between two rounds of housekeeping.
const ROUND: Duration = Duration::from_secs(1);
/// Between two looks for what is old.
const RETENTION: Duration = Duration::from_mins(1);

/// The store as the sink of a lane. See the module's description.
#[derive(Debug)]
pub struct Store {
    options: StoreOptions,
    handle: StoreHandle,
}

impl Store {
    /// The sink of a store, and a view of it.
    #[must_use]
    pub fn new(options: StoreOptions) -> (Self, StoreHandle) {
        let handle = StoreHandle::default();
        let view = handle.clone();
        (Self { options, handle }, view)
    }

    /// A lane that stores what it is offered, and the view of the store. Nothing is opened before the lane's thread
    /// runs: a store that can't be opened holds nobody up, and the lane's account says why it can't.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn lane(options: StoreOptions) -> io::Result<(Lane, StoreHandle)> {
        let lane = LaneOptions {
            name: "store".to_owned(),
            queue: options.queue,
            wants: |_: &Event| true,
        };
        let (sink, handle) = Self::new(options);
        Ok((Lane::start(lane, sink)?, handle))
    }
}

impl Sink for Store {
    fn run(self, queue: &Receiver<Arc<Event>>, account: &Account) {
        let path = database::path(&self.options.folder);
        account.goes_to(&path.display());
        let now = Instant::now();
        let worker = Worker {
            options: self.options,
            handle: self.handle,
            account,
            path,
            connection: None,
            recalled: false,
            batch: Batch::default(),
            failed: None,
            mover: None,
            round: now,
            retention: now,
            set_aside: None,
        };
        worker.run(queue);
    }
}

/// When a failed commit is tried again, and how long was waited for that.
#[derive(Clone, Copy, Debug)]
struct Failed {
    again: Instant,
    wait: Duration,
}

struct Worker<'a> {
    options: StoreOptions,
    handle: StoreHandle,
    account: &'a Account,
    path: PathBuf,
    connection: Option<Connection>,
    /// The marks of the daemon before were read.
    recalled: bool,
    batch: Batch,
    failed: Option<Failed>,
    mover: Option<Mover>,
    /// When housekeeping is due.
    round: Instant,
    /// When old things are looked for.
    retention: Instant,
    /// When a damaged database was moved aside.
    set_aside: Option<Instant>,
}

/// A newer program's file: nothing is ever stored in it.
struct Unusable;

impl Worker<'_> {
    fn run(mut self, queue: &Receiver<Arc<Event>>) {
        loop {
            let connected = self.gather(queue);
            if !connected {
                // The last try is now.
                self.failed = None;
            }
            if self.commit().is_err() {
                self.account.dropped(self.batch.len() as u64);
                for _ in queue {
                    self.account.dropped(1);
                }
                return;
            }
            if !connected {
                break;
            }
            self.keep_house();
        }
        self.account.dropped(self.batch.len() as u64);
        if let (Some(hosts), Some(connection)) = (self.handle.take_devices(), &mut self.connection)
            && let Err(error) = devices(connection, &hosts)
        {
            tracing::warn!("the store has not the last state of the devices: {error}");
        }
        if let (Some(mover), Some(connection)) = (self.mover.take(), &mut self.connection) {
            mover.cancel();
            let _ = mover.end(connection, &self.options.folder);
        }
    }

    /// Takes events until there are enough or they waited long enough; false if no more will come.
    fn gather(&mut self, queue: &Receiver<Arc<Event>>) -> bool {
        let end = Instant::now() + self.options.wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if self.batch.len() >= self.options.batch {
                // What can't be written now waits here and in the queue.
                if let Some(failed) = self.failed {
                    thread::sleep(left.min(failed.again.saturating_duration_since(Instant::now())));
                }
                return true;
            }
            match queue.recv_timeout(left) {
                Ok(event) => self.batch.push(event),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Commits the batch, or leaves it as it is.
    fn commit(&mut self) -> Result<(), Unusable> {
        if self
            .failed
            .is_some_and(|failed| Instant::now() < failed.again)
        {
            return Ok(());
        }
        if self.batch.len() == 0 && self.connection.is_some() && self.failed.is_none() {
            return Ok(());
        }
        match self.try_commit() {
            Ok(bytes) => {
                self.account.delivered(self.batch.committed(), bytes);
                self.failed = None;
                if self.account.works() {
                    let dropped = self.account.stats().dropped();
                    tracing::warn!(path = %self.path.display(), dropped, "events are stored again");
                }
                Ok(())
            }
            Err(error) => self.fails(&error),
        }
    }

    fn try_commit(&mut self) -> Result<u64, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let written = connection.transaction().and_then(|transaction| {
            let bytes = self.batch.write(&transaction)?;
            transaction.commit()?;
            Ok(bytes)
        });
        self.connection = Some(connection);
        written.map_err(StoreError::sqlite(&self.path))
    }

    fn open(&mut self) -> Result<Connection, StoreError> {
        let folder = &self.options.folder;
        let connection = database::open(folder)?;
        recovery::recover(&connection, folder)?;
        if !self.recalled {
            self.batch
                .recall(&connection)
                .map_err(StoreError::sqlite(&self.path))?;
            self.recalled = true;
        }
        Ok(connection)
    }

    fn fails(&mut self, error: &StoreError) -> Result<(), Unusable> {
        let first = self.account.fails(error);
        if let StoreError::Newer { .. } = error {
            tracing::error!("nothing is stored: {error}");
            return Err(Unusable);
        }
        if error.is_damage() && self.set_aside(error) {
            // Into a new one, at once.
            return Ok(());
        }
        let wait = self
            .failed
            .map_or(RETRY, |failed| (failed.wait * 2).min(RETRY_MAX));
        self.failed = Some(Failed {
            again: Instant::now() + wait,
            wait,
        });
        if first {
            tracing::error!(
                "can't store events: {error}; they wait, and what finds no room is dropped and counted until it works again"
            );
        }
        if !error.is_full() {
            // A file system that was mounted anew, or files that were taken away.
            self.close();
        }
        Ok(())
    }

    fn close(&mut self) {
        if let (Some(mover), Some(mut connection)) = (self.mover.take(), self.connection.take()) {
            mover.cancel();
            let _ = mover.end(&mut connection, &self.options.folder);
        }
        self.connection = None;
    }

    /// Moves a damaged database aside; true if that worked.
    fn set_aside(&mut self, error: &StoreError) -> bool {
        self.close();
        // A disk that damages all that is written must not fill up with what was moved.
        if self.set_aside.is_some_and(|at| at.elapsed() < RETENTION) {
            return false;
        }
        self.set_aside = Some(Instant::now());
        match database::set_aside(&self.options.folder, clock::now()) {
            Ok(aside) => {
                let aside = aside.display().to_string();
                tracing::error!(
                    "the store is damaged, and a new one begun: {error}; the old one is {aside}"
                );
                self.handle.change(|status| status.set_aside = Some(aside));
                self.failed = None;
                true
            }
            Err(error) => {
                tracing::error!("the damaged store can't be moved away: {error}");
                false
            }
        }
    }

    /// What is to be done beside events, a bounded piece of it.
    fn keep_house(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let result = self.house();
        let failing = result.as_ref().err().map(ToString::to_string);
        self.handle.change(|status| {
            if failing.is_some() && failing != status.failing {
                tracing::error!(
                    why = failing,
                    "the store can't be put in order; it is tried again"
                );
            }
            status.failing = failing;
        });
        if let Err(error) = result {
            self.round = Instant::now() + RETRY_MAX;
            if error.is_damage() {
                self.account.fails(&error);
                self.set_aside(&error);
            }
        }
    }

    fn house(&mut self) -> Result<(), StoreError> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let failed = || StoreError::sqlite(&self.path);
        let folder = &self.options.folder;
        let more = history::purge(connection).map_err(failed())?;
        if let Some(mover) = self.mover.take_if(|mover| mover.is_done()) {
            mover.end(connection, folder)?;
        }
        let time = Instant::now();
        if time < self.round {
            return Ok(());
        }
        self.round = time + ROUND;
        if let Some(hosts) = self.handle.take_devices()
            && let Err(error) = devices(connection, &hosts)
        {
            self.handle.give_back(hosts);
            return Err(failed()(error));
        }
        if self.mover.is_none()
            && let Some(job) = history::next(connection, folder, self.options.rows, clock::now())?
        {
            let path = folder.join(&job.path);
            self.mover = Some(Mover::start(job, folder).map_err(StoreError::file(path))?);
        }
        // Files are removed when no row in the table is in them any more.
        if time >= self.retention && !more {
            let turn = retention::turn(connection, folder, &self.options.keep, clock::now())?;
            if !turn.more {
                self.retention = time + RETENTION;
            }
            self.handle.change(|status| {
                status.too_large = turn.too_large;
                for (kind, count) in turn.removed {
                    *status.removed.entry(kind.to_owned()).or_default() += count;
                }
            });
        }
        measure(connection, &self.handle).map_err(failed())
    }
}

fn devices(
    connection: &mut Connection,
    hosts: &[sensor_sessions::inventory::HostReport],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    write_devices(&transaction, hosts)?;
    transaction.commit()
}

/// Takes the sizes into the status.
fn measure(connection: &Connection, handle: &StoreHandle) -> rusqlite::Result<()> {
    let mut database = connection.prepare_cached(
        "SELECT pages.page_count * size.page_size FROM pragma_page_count AS pages, pragma_page_size AS size",
    )?;
    let database: i64 = database.query_row([], |row| row.get(0))?;
    let mut files = connection.prepare_cached(
        "SELECT count(*), ifnull(sum(bytes), 0), min(hour) FROM history WHERE complete",
    )?;
    let (files, bytes, since): (i64, i64, Option<i64>) =
        files.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let waiting = history::waiting(connection)?;
    handle.change(|status| {
        status.database_bytes = database.unsigned_abs();
        status.history_files = files.unsigned_abs();
        status.history_bytes = bytes.unsigned_abs();
        status.history_since = since.map(of_micros);
        status.flows_waiting = waiting;
    });
    Ok(())
}
