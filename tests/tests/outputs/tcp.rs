//! Receivers over TCP: one that reads, one that never does, one that comes late, one that dies.

use std::{collections::BTreeMap, net::TcpListener};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    Folder, alert, close, free_port, numbered,
    receiver::{Connection, Message, is_quiet, read_all, take},
    start, syslog, when,
};

fn number(message: &Message) -> Result<u64> {
    let event: Value = serde_json::from_str(&message.content)?;
    event["stats"]["n"].as_u64().context("no number")
}

fn listen() -> Result<(TcpListener, u16)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

#[test]
fn each_message_arrives_once_and_in_order() -> Result<()> {
    let folder = Folder::create("once")?;
    let (listener, port) = listen()?;
    let messages = read_all(listener);
    let output = start(&folder.0, syslog(port, 1 << 16))?;
    for sent in 0..5_000 {
        output.send(numbered(sent));
    }
    output.send(alert(
        "10.0.0.3",
        "10.0.0.9",
        r#","change":"opened","severity":"high""#,
    ));
    for (sent, message) in take(&messages, 5_000)?.iter().enumerate() {
        ensure!(
            number(message)? == sent as u64 && message.sequence == sent as u64 + 1,
            "{message:?}"
        );
        ensure!(
            message.priority == 16 * 8 + 6 && message.kind == "stats",
            "{message:?}"
        );
    }
    let alert = &take(&messages, 1)?[0];
    ensure!(
        alert.priority == 16 * 8 + 3 && alert.kind == "alert",
        "{alert:?}"
    );
    when(&output, "the last to count", |stats| stats.events == 5_001)?;
    let (_, stats) = close(output);
    ensure!(stats.events == 5_001 && stats.offered == 5_001, "{stats:?}");
    ensure!(
        (stats.dropped(), stats.resent, stats.errors) == (0, 0, 0),
        "{stats:?}"
    );
    ensure!(stats.target.contains("(syslog, TCP, json)") && is_quiet(&messages));
    Ok(())
}

/// What the kernels on both sides take is far less than is sent.
#[test]
fn a_receiver_that_never_reads_holds_nothing_up() -> Result<()> {
    const SENT: u64 = 100_000;
    let folder = Folder::create("slow")?;
    let (listener, port) = listen()?;
    let output = start(&folder.0, syslog(port, 1_000))?;
    let stuck = Connection::accept(&listener)?;
    for sent in 0..SENT {
        output.send(numbered(sent));
    }
    let before = when(&output, "the queue to overflow", |stats| {
        stats.dropped_queue_full > 0
    })?;
    ensure!(before.offered == SENT, "{before:?}");
    let (json, stats) = close(output);
    ensure!(json.events == SENT && json.dropped() == 0, "{json:?}");
    ensure!(stats.offered == SENT && stats.events < SENT, "{stats:?}");
    ensure!(stats.offered == stats.events + stats.dropped(), "{stats:?}");
    drop(stuck);
    Ok(())
}

#[test]
fn what_waits_for_a_receiver_arrives_and_what_has_no_room_is_counted() -> Result<()> {
    let folder = Folder::create("late")?;
    let port = free_port()?;
    let output = start(&folder.0, syslog(port, 50))?;
    let failing = when(&output, "an error", |stats| stats.failing.is_some())?;
    let why = failing.failing.unwrap_or_default();
    ensure!(
        why.contains("can't connect to localhost") && why.contains("refused"),
        "{why}"
    );
    for sent in 0..80 {
        output.send(numbered(sent));
    }
    let full = when(&output, "all to be offered", |stats| stats.offered == 80)?;
    ensure!(
        (full.events, full.dropped_queue_full) == (0, 30),
        "{full:?}"
    );
    let messages = read_all(TcpListener::bind(("127.0.0.1", port))?);
    for (sent, message) in take(&messages, 50)?.iter().enumerate() {
        ensure!(number(message)? == sent as u64, "{message:?}");
    }
    when(&output, "no error", |stats| {
        stats.failing.is_none() && stats.events == 50
    })?;
    output.send(numbered(80));
    ensure!(number(&take(&messages, 1)?[0])? == 80);
    let (_, stats) = close(output);
    ensure!(
        (stats.offered, stats.events, stats.dropped()) == (81, 51, 30),
        "{stats:?}"
    );
    ensure!(is_quiet(&messages), "something came twice");
    Ok(())
}

#[test]
fn nothing_is_lost_with_a_receiver_that_dies() -> Result<()> {
    const SENT: u64 = 3_000;
    let folder = Folder::create("dies")?;
    let (listener, port) = listen()?;
    let output = start(&folder.0, syslog(port, 1 << 16))?;
    for sent in 0..SENT {
        output.send(numbered(sent));
    }
    let mut seen: BTreeMap<u64, Message> = BTreeMap::new();
    let mut take = |message: Message| -> Result<()> {
        let before = seen.insert(message.sequence, message.clone());
        // What comes again is what came before, to the last byte.
        ensure!(before.is_none_or(|before| before == message));
        Ok(())
    };
    for read in [300, 1_000] {
        let mut connection = Connection::accept(&listener)?;
        for _ in 0..read {
            take(connection.next()?.context("an early end")?)?;
        }
        // What its kernel has taken and it has not read is gone with it.
        connection.wait_for_more()?;
    }
    let mut connection = Connection::accept(&listener)?;
    loop {
        let message = connection.next()?.context("an early end")?;
        let last = number(&message)? == SENT - 1;
        take(message)?;
        if last {
            break;
        }
    }
    when(&output, "all to count", |stats| stats.events == SENT)?;
    let (_, stats) = close(output);
    ensure!(
        stats.offered == SENT && stats.events == SENT && stats.dropped() == 0,
        "{stats:?}"
    );
    // What was read of a connection that broke was sent once more, at the least.
    ensure!(stats.resent >= 1_300 && stats.errors >= 2, "{stats:?}");
    ensure!(seen.len() as u64 == SENT, "{} of {SENT}", seen.len());
    for (sent, message) in seen.values().enumerate() {
        ensure!(number(message)? == sent as u64);
    }
    Ok(())
}

#[test]
fn the_end_does_not_wait_for_a_receiver_that_is_not_there() -> Result<()> {
    let folder = Folder::create("none")?;
    let output = start(&folder.0, syslog(free_port()?, 100))?;
    for sent in 0..10 {
        output.send(numbered(sent));
    }
    let (json, stats) = close(output);
    ensure!(json.events == 10, "{json:?}");
    ensure!(
        (stats.offered, stats.events, stats.dropped_write_error) == (10, 0, 10),
        "{stats:?}"
    );
    Ok(())
}
