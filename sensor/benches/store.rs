//! How many events the store takes in a second, and that it accounts for each. Run by `cargo xtask bench`.
#![expect(
    clippy::cast_precision_loss,
    reason = "what is shown has one or two decimals"
)]

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    net::IpAddr,
    sync::{
        Arc,
        mpsc::{TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use sensor_evidence::store::{Store, StoreOptions};
use sensor_facts::{
    event::{Body, Event, FlowHalf, FlowReport, FlowState, FlowWhy, Hl7Event, Hl7Message},
    time::Time,
};
use sensor_output::lane::{Account, Sink};

/// Events of a round.
const EVENTS: u64 = 2_000_000;
/// Events a second that are offered, in turn; the last: as fast as they are taken.
const RATES: [Option<u64>; 2] = [Some(50_000), None];
/// Events that are offered at once.
const BURST: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "\nThe store, 80 % flows, 18 % HL7 messages, 2 % counters, {EVENTS} events, a file for each million flows:\n"
    );
    for rate in RATES {
        round(rate)?;
    }
    Ok(())
}

fn round(rate: Option<u64>) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("wardtap-store-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let options = StoreOptions::new(&folder);
    let (queue, waiting) = sync_channel(options.queue);
    let (store, handle) = Store::new(options);
    let account = Arc::new(Account::default());
    let shared = Arc::clone(&account);
    let thread = thread::spawn(move || store.run(&waiting, &shared));
    // Made before, so that making them is not measured.
    let mut events = Vec::new();
    for number in 0..EVENTS {
        events.push(Arc::new(event(number)?));
    }
    let (begin, mut full) = (Instant::now(), 0);
    for (number, event) in (0..).zip(events) {
        if let Some(rate) = rate {
            if number % BURST == 0 {
                let due = begin + Duration::from_secs_f64(number as f64 / rate as f64);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            match queue.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => full += 1,
                Err(error) => return Err(error.into()),
            }
        } else {
            queue.send(event)?;
        }
    }
    drop(queue);
    thread.join().map_err(|_| "the store's thread is gone")?;
    let taken = begin.elapsed().as_secs_f64();
    let account = account.stats();
    let dropped = full + account.dropped();
    let stored = account.events;
    assert_eq!(EVENTS, stored + dropped, "each is stored or dropped");
    let status = handle.status();
    let database = Connection::open(folder.join("store.sqlite"))?;
    let rows: i64 = database.query_row(
        "SELECT (SELECT count(*) FROM flow WHERE id > (SELECT value FROM meta WHERE key = 'moved'))
             + (SELECT ifnull(sum(rows), 0) FROM history WHERE complete)
             + (SELECT count(*) FROM session) + (SELECT count(*) FROM statistics)",
        [],
        |row| row.get(0),
    )?;
    assert_eq!(
        u64::try_from(rows)?,
        stored,
        "each that is stored is there once"
    );
    let offered = rate.map_or_else(
        || "as fast as taken".to_owned(),
        |rate| format!("{rate} a second"),
    );
    println!(
        "offered {offered}: {stored} stored, {dropped} dropped in {taken:.1} s, {:.0} events/s; {} files of flows with {:.1} MB, database {:.1} MB",
        stored as f64 / taken,
        status.history_files,
        status.history_bytes as f64 / 1e6,
        status.database_bytes as f64 / 1e6,
    );
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Of 50 events 40 are of flows among 10,000 pairs, nine of HL7 messages, one of counters.
fn event(number: u64) -> Result<Event, Box<dyn Error>> {
    let time = Time(1_795_651_200_000_000_000 + i64::try_from(number)? * 1_000);
    let body = match number % 50 {
        0..40 => Body::Flow { flow: flow(time) },
        40..49 => Body::Hl7 {
            hl7: Box::new(Hl7Event::Message(Hl7Message {
                sending_application: Some("LAB".to_owned()),
                receiving_application: Some("EHR".to_owned()),
                message_type: Some("ORU^R01".to_owned()),
                control_id: Some(number.to_string()),
                ..Hl7Message::default()
            })),
        },
        _ => {
            let counters = (0..60).map(|counter| (format!("counter_{counter}"), number + counter));
            return Ok(Event::stats(time, counters.collect::<BTreeMap<_, _>>()));
        }
    };
    let [_, _, high, low] = u32::try_from(number * 7_919 % 10_000)?.to_be_bytes();
    Ok(Event {
        flow_id: Some(number),
        in_iface: Some("eth1".to_owned()),
        src_ip: Some(IpAddr::from([10, 20, high, low])),
        src_port: Some(50_000),
        dest_ip: Some(IpAddr::from([10, 30, 0, low])),
        dest_port: Some(443),
        proto: Some("TCP".into()),
        community_id: Some("1:LQU9qZlK+B5F3KDmev6m5PMibrg=".to_owned()),
        ..Event::general(time, body)
    })
}

fn flow(time: Time) -> Box<FlowReport> {
    let half = FlowHalf {
        packets: 12,
        bytes: 3_456,
        payload_bytes: 2_345,
        syn: 1,
        ..FlowHalf::default()
    };
    Box::new(FlowReport {
        start: Time(time.0 - 5_000_000_000),
        end: time,
        duration_ns: 5_000_000_000,
        state: FlowState::Closed,
        reason: FlowWhy::Closed,
        app_proto: Some("tls".into()),
        src_mac: Some("02:00:00:00:00:01".to_owned()),
        dest_mac: Some("02:00:00:00:00:02".to_owned()),
        to_server: half.clone(),
        to_client: half,
        ..FlowReport::default()
    })
}
