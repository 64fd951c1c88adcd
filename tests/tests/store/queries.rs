//! The queries of `docs/store.md` as they stand there, over a store whose answers are known.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use sensor_evidence::store::{Keep, Store, StoreOptions};
use sensor_facts::event::Event;
use sensor_output::lane::{Account, Sink};
use serde_json::{Value, json};
use tests::{ability, folder::Folder, hl7, site::SECONDS, wait::wait_for};

const FOREVER: Duration = Duration::from_secs(u64::MAX / 4);

/// An event, as it stands in the file of events; `more` is added to it.
fn event(time: &str, more: &Value) -> Result<Event> {
    let mut event = json!({ "timestamp": time, "v": 2 });
    let fields = event.as_object_mut().context("an object")?;
    fields.extend(more.as_object().context("an object")?.clone());
    Ok(serde_json::from_value(event)?)
}

fn flow(id: u64, time: &str, from: &str, to: &str, bytes: u64) -> Result<Event> {
    let half = json!({
        "packets": 9, "bytes": bytes, "payload_bytes": bytes / 2, "length_min": 40, "length_max": 1500,
        "length_squares": 0, "sizes": [0, 0, 0, 0, 0, 0, 0, 0], "interval_squares": 0,
        "intervals": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "retransmissions": 0, "gaps": 0, "duplicates": 0, "ignored": 0, "psh": 0, "syn": 1,
        "fin": 1, "rst": 0, "tcp_flags": 27, "window_min": 1, "window_max": 2, "ttl_min": 64, "ttl_max": 64
    });
    let flow = json!({
        "start": time, "end": time, "duration_ns": 0, "state": "closed", "reason": "closed", "midstream": false,
        "reset": false, "fragments": false, "first_payloads": [], "to_server": half, "to_client": half
    });
    let more = json!({
        "event_type": "flow", "flow": flow, "flow_id": id, "src_ip": from, "src_port": 50_000, "dest_ip": to,
        "dest_port": 443, "proto": "TCP"
    });
    event(time, &more)
}

fn events() -> Result<Vec<Event>> {
    let night = "2026-11-25T23:10:00Z";
    let association = json!({
        "type": "closed", "start": night, "end": night, "outcome": "released", "midstream": false,
        "incomplete": false, "calling_ae": "CT1", "called_ae": "PACS", "requestor_data_bytes": 0, "acceptor_data_bytes": 0
    });
    let dicom = json!({
        "event_type": "dicom", "dicom": association, "src_ip": "10.20.0.10", "dest_ip": "10.20.0.2", "dest_port": 104
    });
    let alert = json!({
        "change": "opened", "id": 7, "device": "10.20.0.66", "severity": "high", "confidence": 0.9,
        "title": "it scans", "opened": night, "updated": night, "techniques": [], "findings": [], "finding_count": 1, "check": []
    });
    let rule = json!({
        "id": 1, "target": { "kind": "device", "address": "10.20.0.66" }, "scope": "all", "state": "enabled",
        "created": "2026-11-25T23:10:02.5Z", "expires": "2026-11-26T00:10:00Z", "reason": "it scans", "by": { "kind": "daemon" }
    });
    let audit = json!({ "actor": { "kind": "daemon" }, "action": "rule_added", "rule": rule });
    let counters = |packets: u64, lost: u64| json!({ "event_type": "stats", "stats": { "packets": packets, "ring_lost": lost } });
    Ok(vec![
        flow(1, night, "10.20.0.7", "10.20.0.10", 1_000)?,
        // By day, and of others.
        flow(2, "2026-11-25T12:00:00Z", "10.20.0.8", "10.20.0.10", 1_000)?,
        flow(3, night, "10.20.0.7", "203.0.113.9", 5_000)?,
        flow(4, night, "10.20.0.7", "172.20.0.9", 9_000)?,
        event(night, &dicom)?,
        event(night, &json!({ "event_type": "alert", "alert": alert }))?,
        event(night, &json!({ "event_type": "audit", "audit": audit }))?,
        event("2026-11-25T10:00:00Z", &counters(100, 0))?,
        event("2026-11-25T11:00:00Z", &counters(300, 4))?,
        // The programs were loaded anew.
        event("2026-11-25T12:00:00Z", &counters(50, 1))?,
        event("2026-11-26T12:00:00Z", &counters(60, 1))?,
    ])
}

/// A store with these events, the flows in their files.
fn filled(folder: &Path) -> Result<()> {
    let (store, handle) = Store::new(StoreOptions {
        // The hours are over, but what is in them is not old.
        keep: Keep {
            flows: FOREVER,
            sessions: FOREVER,
            statistics: FOREVER,
            contacts: FOREVER,
            alerts: FOREVER,
            ..Keep::default()
        },
        ..StoreOptions::new(folder)
    });
    let (queue, waiting) = sync_channel(1_000);
    let account = Arc::new(Account::default());
    let shared = Arc::clone(&account);
    let thread = thread::spawn(move || store.run(&waiting, &shared));
    for event in events()? {
        queue.send(Arc::new(event))?;
    }
    wait_for("the files", SECONDS, || {
        let status = handle.status();
        (status.history_files == 3 && status.flows_waiting == 0).then_some(())
    })?;
    drop(queue);
    thread.join().map_err(|_| anyhow!("the store panicked"))?;
    Ok(())
}

/// The queries of the documentation, with what runs them.
fn documented() -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/store.md"))?;
    let blocks = text.split("\n```sql ").skip(1);
    blocks
        .map(|block| {
            let (engine, rest) = block.split_once('\n').context("a block without end")?;
            let (sql, _) = rest.split_once("\n```").context("a block without end")?;
            Ok((engine.to_owned(), sql.to_owned()))
        })
        .collect()
}

#[test]
fn the_documented_queries_answer() -> Result<()> {
    if !ability::duckdb() {
        return Ok(());
    }
    let folder = Folder::create("store-queries")?;
    filled(&folder.path)?;
    let queries = documented()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/store_queries.py");
    let mut python = Command::new(hl7::python())
        .arg(script)
        .current_dir(&folder.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = python.stdin.take().context("no input")?;
    for (engine, sql) in &queries {
        writeln!(input, "{}", json!({ "engine": engine, "sql": sql }))?;
    }
    drop(input);
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "a query failed; Python said why");
    let answers: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let expected = [
        json!([["10.20.0.7", "10.20.0.10", 443, "TCP", null, 1, "2000"]]),
        json!([["10.20.0.10", "10.20.0.2", 104, 1, "CT1", "PACS"]]),
        json!([["10.20.0.7", "203.0.113.9", "5000", 1]]),
        json!([[
            7,
            "high",
            "10.20.0.66",
            "it scans",
            "2026-11-25 23:10:00",
            2.5,
            "enabled",
            null
        ]]),
        json!([["2026-11-25", 350, 5], ["2026-11-26", 10, 0]]),
    ];
    assert_eq!(queries.len(), expected.len());
    for ((answer, expected), (_, sql)) in answers.iter().zip(&expected).zip(&queries) {
        assert_eq!(numbers(answer), numbers(expected), "{sql}");
    }
    Ok(())
}

/// The same with numbers as text: how `DuckDB` gives sums depends on their width.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    }
}
