//! Disks that are full or can't be written, and what became of each event.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use nix::mount::{MsFlags, mount};
use sensor_evidence::store::{Keep, Reader, Store, StoreOptions};
use sensor_facts::{event::Event, time::Time};
use sensor_output::lane::{Account, OutputStats, Sink};
use serde_json::Value;
use tests::{
    ability::privileged,
    folder::Folder,
    reading::{number, packets},
    site::{SECONDS, Site},
    wait::wait_for,
};

/// A store with its thread and all that was offered to it.
struct Feed {
    queue: SyncSender<Arc<Event>>,
    account: Arc<Account>,
    thread: JoinHandle<()>,
    offered: u64,
    full: u64,
}

impl Feed {
    fn start(folder: &Path) -> Self {
        let options = StoreOptions {
            batch: 100,
            wait: Duration::from_millis(5),
            // The events are of 1970.
            keep: Keep {
                statistics: Duration::from_secs(u64::MAX / 4),
                ..Keep::default()
            },
            ..StoreOptions::new(folder)
        };
        let (queue, events) = sync_channel(1_000);
        let (store, _) = Store::new(options);
        let account = Arc::new(Account::default());
        let shared = Arc::clone(&account);
        Self {
            queue,
            account,
            thread: thread::spawn(move || store.run(&events, &shared)),
            offered: 0,
            full: 0,
        }
    }

    fn offer(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            let counters = (0..50).map(|name| (format!("counter_{name}"), self.offered));
            let counters: BTreeMap<_, _> = counters.collect();
            let time = Time(i64::try_from(self.offered)? * 1_000);
            self.offered += 1;
            if self
                .queue
                .try_send(Arc::new(Event::stats(time, counters)))
                .is_err()
            {
                self.full += 1;
            }
        }
        Ok(())
    }

    /// Ends the store; what it did.
    fn end(self) -> Result<OutputStats> {
        drop(self.queue);
        self.thread
            .join()
            .map_err(|_| anyhow!("the store panicked"))?;
        let stats = self.account.stats();
        let known = stats.events + stats.dropped() + self.full;
        ensure!(
            self.offered == known,
            "{} offered, {known} known of",
            self.offered
        );
        Ok(stats)
    }
}

fn stored(folder: &Path) -> Result<u64> {
    let reader = Reader::open(folder)?;
    Ok(reader.statistics(Time(0)..Time(i64::MAX))?.len() as u64)
}

#[test]
fn a_full_disk_is_counted_exactly_and_survived() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut folder = Folder::create("store-full")?;
    let disk = folder.small_disk(8 << 20)?;
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 6 << 20])?;
    let mut store = Feed::start(&disk);
    wait_for("the disk to be full", SECONDS, || {
        store.offer(200).ok()?;
        store.account.stats().failing
    })?;
    let committed = store.account.stats().events;
    ensure!(committed > 0, "some events fitted in");
    // More than wait: what is too much is refused, and nobody is held up.
    store.offer(5_000)?;
    ensure!(store.full > 0, "the queue takes no more");
    assert_eq!(
        stored(&disk)?,
        store.account.stats().events,
        "what was acknowledged is there"
    );

    fs::remove_file(&ballast)?;
    wait_for("it to go on", SECONDS, || {
        store.account.stats().failing.is_none().then_some(())
    })?;
    let before = store.account.stats().events;
    store.offer(10)?;
    let offered = store.offered - store.full;
    wait_for("all that waited", SECONDS, || {
        (store.account.stats().events == offered).then_some(())
    })?;
    ensure!(store.account.stats().events > before, "it stores again");
    let stats = store.end()?;
    assert_eq!(stats.dropped(), 0, "what was taken was kept");
    assert_eq!(stored(&disk)?, stats.events);
    Ok(())
}

#[test]
fn a_disk_that_becomes_read_only_is_survived() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut folder = Folder::create("store-ro")?;
    let disk = folder.small_disk(16 << 20)?;
    // Open files keep a file system from becoming read-only, so it is so from the start.
    let remount = |flags| {
        let flags = MsFlags::MS_REMOUNT | flags;
        mount(None::<&str>, &disk, None::<&str>, flags, None::<&str>)
    };
    remount(MsFlags::MS_RDONLY)?;
    let mut store = Feed::start(&disk);
    store.offer(500)?;
    let why = wait_for("it to fail", SECONDS, || store.account.stats().failing)?;
    ensure!(why.contains("Read-only"), "{why}");
    remount(MsFlags::empty())?;
    let offered = store.offered - store.full;
    wait_for("all that waited", SECONDS, || {
        (store.account.stats().events == offered).then_some(())
    })?;
    let stats = store.end()?;
    assert_eq!((stored(&disk)?, stats.dropped()), (500, 0));
    Ok(())
}

/// The account of the output `store`.
fn account(status: &Value) -> Option<&Value> {
    let outputs = status["outputs"].as_array()?;
    outputs.iter().find(|output| output["name"] == "store")
}

#[test]
fn a_daemon_goes_on_without_its_store_and_with_it_again() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut folder = Folder::create("store-daemon")?;
    let disk = folder.small_disk(8 << 20)?;
    // The state directory is on the small disk, the events are not.
    symlink(&disk, folder.path.join("state"))?;
    let ballast = disk.join("ballast");
    let events = folder.path.join("events.jsonl");
    let mut site = Site::start_in("store", folder, &events, "")?;
    site.send(50)?;
    site.status_when("the first events", |status| {
        account(status).is_some_and(|it| number(it, "/events") >= 50)
    })?;
    // It takes all there is: a write is refused when there is less than it wants.
    ensure!(
        fs::write(&ballast, vec![0; 8 << 20]).is_err(),
        "the disk is full"
    );
    let full = {
        let mut sent: u32 = 50;
        wait_for("the store to fail", SECONDS, || {
            site.send(200).ok()?;
            sent += 200;
            let status = site.json(&["status"]).ok()?;
            account(&status)?["failing"]
                .is_string()
                .then_some((status, sent))
        })?
    };
    let (status, sent) = full;
    let warnings = status["warnings"].to_string();
    ensure!(warnings.contains("can't be written (store)"), "{warnings}");
    // Capture, analysis and the other output go on.
    site.send(100)?;
    let sent = sent + 100;
    site.status_when("all packets", |status| {
        packets(status) == u64::from(sent)
            && number(status, "/pipeline/hl7_messages") == u64::from(sent)
    })?;
    fs::remove_file(&ballast)?;
    let status = site.status_when("the store to go on", |status| {
        account(status).is_some_and(|it| it["failing"].is_null() && number(it, "/waiting") == 0)
    })?;
    let it = account(&status).context("no account")?;
    assert_eq!(number(it, "/dropped_queue_full"), 0, "{it}");
    assert_eq!(number(it, "/dropped_write_error"), 0, "{it}");
    let metrics = site.metrics()?;
    let stored = metrics.get("wardtap_store_bytes{part=\"database\"}");
    ensure!(stored.is_some_and(|bytes| *bytes > 0.0), "{stored:?}");
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    let reader = Reader::open(&disk)?;
    let sessions = reader.sessions(Time(0)..Time(i64::MAX), "10.0.0.2".parse().ok())?;
    let messages = sessions.iter().filter(|event| {
        let text = serde_json::to_value(event).unwrap_or_default();
        text["hl7"]["type"] == "message"
    });
    assert_eq!(
        messages.count(),
        usize::try_from(sent)?,
        "all messages are stored"
    );
    ensure!(!reader.devices()?.is_empty(), "the hosts are there");
    Ok(())
}
