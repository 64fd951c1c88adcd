//! The store, used as the daemon uses it.

mod columns;
mod files;
mod reading;
mod refusal;
mod retention;

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use sensor_facts::{
    event::{Body, Event, FlowHalf, FlowReport, FlowState, FlowWhy},
    time::Time,
};
use sensor_output::lane::{Account, Sink};

use super::{Store, StoreHandle, StoreOptions, database};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const DAY: i64 = 24 * HOUR;
/// 2026-11-26T12:00:00Z.
pub(super) const NOON: i64 = 20_783 * DAY + 12 * HOUR;

/// A folder that goes when it is dropped.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("wardtap-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(super) fn database(&self) -> Connection {
        database::open(&self.0).expect("opens")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store with its thread.
pub(super) struct Running {
    queue: Option<SyncSender<Arc<Event>>>,
    pub(super) account: Arc<Account>,
    pub(super) handle: StoreHandle,
    thread: Option<JoinHandle<()>>,
    offered: u64,
}

impl Running {
    pub(super) fn start(options: StoreOptions) -> Self {
        let (queue, events) = sync_channel(options.queue);
        let (store, handle) = Store::new(options);
        let account = Arc::new(Account::default());
        let shared = Arc::clone(&account);
        let thread = thread::spawn(move || store.run(&events, &shared));
        Self {
            queue: Some(queue),
            account,
            handle,
            thread: Some(thread),
            offered: 0,
        }
    }

    pub(super) fn quick(folder: &Path) -> Self {
        Self::start(StoreOptions {
            wait: Duration::from_millis(2),
            ..StoreOptions::new(folder)
        })
    }

    pub(super) fn send(&mut self, event: Event) {
        self.offered += 1;
        let queue = self.queue.as_ref().expect("is open");
        queue.send(Arc::new(event)).expect("is taken");
    }

    /// Waits until everything that was sent is stored.
    pub(super) fn settle(&self) {
        let offered = self.offered;
        wait("all is stored", || self.account.stats().events == offered);
    }

    pub(super) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("ends well");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits for a condition, half a minute at most.
pub(super) fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

pub(super) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A flow's report: it began at `start` and had so many bytes by `end`.
pub(super) fn flow(id: u64, start: i64, end: i64, why: FlowWhy, bytes: (u64, u64)) -> Event {
    let half = |bytes| FlowHalf {
        packets: bytes / 100,
        bytes,
        payload_bytes: bytes / 2,
        syn: 1,
        ..FlowHalf::default()
    };
    let report = FlowReport {
        start: Time(start),
        end: Time(end),
        duration_ns: u64::try_from(end - start).expect("in order"),
        state: FlowState::Established,
        reason: why,
        app_proto: Some("dicom".into()),
        src_mac: Some("02:00:00:00:00:01".to_owned()),
        to_server: half(bytes.0),
        to_client: half(bytes.1),
        ..FlowReport::default()
    };
    Event {
        flow_id: Some(id),
        in_iface: Some("eth1".to_owned()),
        vlan: vec![10, 20],
        src_ip: Some(address("10.0.0.1")),
        src_port: Some(50_000),
        dest_ip: Some(address("10.0.0.2")),
        dest_port: Some(104),
        proto: Some("TCP".into()),
        community_id: None,
        ..Event::general(
            Time(end),
            Body::Flow {
                flow: Box::new(report),
            },
        )
    }
}

/// Rows of a table.
pub(super) fn count(connection: &Connection, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    connection
        .query_row(&query, [], |row| row.get(0))
        .expect("counts")
}
