//! The store's process is killed while it writes, 200 times: it opens each time, and everything that it had
//! acknowledged is there, once.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::{Duration, Instant},
};

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use rusqlite::Connection;
use sensor_evidence::store::{Keep, Reader, Store, StoreOptions};
use sensor_facts::{
    event::{Body, Event, FlowHalf, FlowReport, FlowState, FlowWhy},
    time::Time,
};
use sensor_output::lane::{Account, Sink};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const KILLS: u64 = 200;
/// Events of a run at most.
const RUN: u64 = 1_000_000;
const FOLDER: &str = "WARDTAP_STORE_KILL_FOLDER";
const NUMBER: &str = "WARDTAP_STORE_KILL_RUN";
const FOREVER: Duration = Duration::from_secs(u64::MAX / 4);

/// Event number `number` of all: four of five are flows, the fifth is of counters.
fn event(number: u64) -> Outcome<Event> {
    // Microseconds since 1970: all within an hour.
    let time = Time(i64::try_from(number)? * 1_000);
    if number % 5 == 4 {
        return Ok(Event::stats(time, std::collections::BTreeMap::default()));
    }
    let half = FlowHalf {
        packets: 2,
        bytes: 3,
        ..FlowHalf::default()
    };
    let report = FlowReport {
        start: time,
        end: time,
        state: FlowState::Established,
        reason: FlowWhy::Closed,
        to_server: half.clone(),
        to_client: half,
        ..FlowReport::default()
    };
    let flow = Box::new(report);
    let [_, _, high, low] = u32::try_from(number % 50)?.to_be_bytes();
    Ok(Event {
        flow_id: Some(number),
        src_ip: Some(IpAddr::from([10, 0, high, low])),
        dest_ip: Some(IpAddr::from([10, 1, 0, 1])),
        dest_port: Some(443),
        proto: Some("TCP".into()),
        ..Event::general(time, Body::Flow { flow })
    })
}

/// The process that is killed: writes events, and says how many it has acknowledged.
#[test]
#[ignore = "a part of the other test"]
fn writes_until_it_is_killed() -> Outcome {
    let folder = PathBuf::from(env::var_os(FOLDER).ok_or("started by hand")?);
    let run: u64 = env::var(NUMBER)?.parse()?;
    let (store, _) = Store::new(StoreOptions {
        wait: Duration::from_millis(2),
        batch: 200,
        // Files are written all the time.
        rows: 500,
        keep: Keep {
            flows: FOREVER,
            statistics: FOREVER,
            contacts: FOREVER,
            ..Keep::default()
        },
        ..StoreOptions::new(folder)
    });
    let (queue, events) = sync_channel(500);
    let account = Arc::new(Account::default());
    let shared = Arc::clone(&account);
    thread::spawn(move || store.run(&events, &shared));
    thread::spawn(move || {
        let mut said = 0;
        loop {
            let now = account.stats().events;
            if now != said {
                println!("\nacknowledged {now}");
                said = now;
            }
            thread::sleep(Duration::from_micros(200));
        }
    });
    for number in run * RUN..(run + 1) * RUN {
        queue.send(Arc::new(event(number)?))?;
    }
    Err("it was to be killed long before".into())
}

/// Runs the other process until it is killed; how many events it acknowledged.
fn killed(folder: &Path, run: u64) -> Outcome<u64> {
    let mut child = Command::new(env::current_exe()?)
        .args([
            "--exact",
            "writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(NUMBER, run.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let before = files(folder);
    let output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let (mut acknowledged, mut end) = (0, None);
    for line in output.lines() {
        let line = line?;
        let Some(number) = line.strip_prefix("acknowledged ") else {
            continue;
        };
        acknowledged = number.parse()?;
        // 0 to 60 milliseconds after the first time that it said so, or, each fifth, when there is a new file. What it
        // said by its end is read all the same.
        let now = Instant::now();
        let end = end.get_or_insert(now + Duration::from_millis(run * 7_919 % 60));
        let due = if run % 5 == 4 {
            files(folder) != before
        } else {
            now >= *end
        };
        if due {
            child.kill()?;
        }
    }
    child.wait()?;
    Ok(acknowledged)
}

/// The names of the files of flows.
fn files(folder: &Path) -> BTreeSet<OsString> {
    let day = fs::read_dir(folder.join("flows/1970-01-01"));
    let names = day
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| file.file_name());
    names
        .filter(|name| name.to_string_lossy().ends_with(".parquet"))
        .collect()
}

/// All flows that are stored: in registered files, and in the table beyond those.
fn stored_flows(folder: &Path, database: &Connection) -> Outcome<Vec<u64>> {
    let mut all = Vec::new();
    let mut table = database.prepare(
        "SELECT flow_id FROM flow WHERE id > (SELECT value FROM meta WHERE key = 'moved')",
    )?;
    for id in table.query_map([], |row| row.get::<_, i64>(0))? {
        all.push(u64::try_from(id?)?);
    }
    let mut files = database.prepare("SELECT path FROM history WHERE complete")?;
    for path in files.query_map([], |row| row.get::<_, String>(0))? {
        let file = SerializedFileReader::new(fs::File::open(folder.join(path?))?)?;
        for row in file.get_row_iter(None)? {
            all.push(u64::try_from(row?.get_long(3)?)?);
        }
    }
    Ok(all)
}

#[test]
fn what_was_acknowledged_outlives_any_kill() -> Outcome {
    let folder = env::temp_dir().join(format!("wardtap-kill-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut acknowledged = Vec::new();
    for run in 0..KILLS {
        let count = killed(&folder, run)?;
        assert!(count > 0, "run {run} stored nothing");
        acknowledged.push(count);
        Reader::open(&folder).map_err(|error| format!("after kill {run}: {error}"))?;
    }
    let database = Connection::open(folder.join("store.sqlite"))?;
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(check, "ok");

    let flows = stored_flows(&folder, &database)?;
    let mut stored: BTreeSet<u64> = flows.iter().copied().collect();
    assert_eq!(stored.len(), flows.len(), "a flow is there twice");
    let mut statistics = database.prepare("SELECT time FROM statistics")?;
    let mut counters = 0;
    for time in statistics.query_map([], |row| row.get::<_, i64>(0))? {
        assert!(
            stored.insert(u64::try_from(time?)?),
            "counters are there twice"
        );
        counters += 1;
    }
    for (run, acknowledged) in (0..).zip(&acknowledged) {
        let first = run * RUN;
        let there = stored.range(first..first + RUN);
        // Of each run the first ones, without a gap, and none of those that were acknowledged is missing.
        let count = there.clone().count() as u64;
        assert_eq!(there.last(), Some(&(first + count - 1)), "run {run}");
        assert!(
            count >= *acknowledged,
            "run {run}: {count} of {acknowledged}"
        );
    }
    let (began, bytes): (i64, i64) = database.query_row(
        "SELECT sum(flows), sum(bytes_to_server) FROM contact",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let flows = i64::try_from(flows.len())?;
    assert_eq!(
        (began, bytes),
        (flows, 3 * flows),
        "the contacts are of the flows"
    );
    let files: i64 =
        database.query_row("SELECT count(*) FROM history WHERE complete", [], |row| {
            row.get(0)
        })?;
    println!("{flows} flows, {counters} counters, {files} files");
    assert!(files > 10, "too few files to say anything: {files}");
    fs::remove_dir_all(&folder)?;
    Ok(())
}
