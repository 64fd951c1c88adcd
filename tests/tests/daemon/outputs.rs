//! A receiver of alerts as an operator sees it: it is not there, then it is.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{
    ability::privileged,
    folder::Folder,
    reading::{events, number},
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

const SYSLOG: &str = "\
[[output.syslog]]
name = \"siem\"
address = \"127.0.0.1:6514\"
transport = \"tcp\"
";

/// What the status says of the output with this name.
fn output(status: &Value, name: &str) -> Value {
    let all = status["outputs"].as_array().into_iter().flatten();
    let mut named = all.filter(|one| one["name"] == name);
    named.next().cloned().unwrap_or_default()
}

#[test]
fn a_receiver_of_alerts_comes_late_and_misses_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let folder = Folder::create("receiver")?;
    let findings = folder.path.join("findings.jsonl");
    let more = format!(
        "{SCANS_ALERT}{SYSLOG}[output.ocsf]\npath = \"{}\"\n",
        findings.display()
    );
    let path = folder.path.join("events.jsonl");
    let mut site = Site::start_in("receiver", folder, &path, &more)?;
    site.scan(40)?;
    let status = site.status_when("the alert to wait for its receiver", |status| {
        let siem = output(status, "siem");
        number(status, "/detection/last/id") != u64::MAX
            && number(&siem, "/waiting") >= 1
            && siem["failing"].is_string()
    })?;
    let warnings = status["warnings"].to_string();
    ensure!(
        warnings.contains("can't connect to 127.0.0.1:6514"),
        "{warnings}"
    );
    ensure!(number(&output(&status, "siem"), "/events") == 0, "{status}");
    let metrics = site.metrics()?;
    ensure!(metrics.get("wardtap_output_failing{output=\"siem\"}") == Some(&1.0));

    let listener = site
        .sensor
        .within(|| Ok(TcpListener::bind("127.0.0.1:6514")?))?;
    let (stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(SECONDS))?;
    let mut stream = BufReader::new(stream);
    let alert = loop {
        let mut length = Vec::new();
        stream.read_until(b' ', &mut length)?;
        let mut message = vec![0; String::from_utf8(length)?.trim_end().parse()?];
        stream.read_exact(&mut message)?;
        let message = String::from_utf8(message)?;
        ensure!(message.contains(" CEF:0|Wardtap|Wardtap|"), "{message}");
        if message.contains("|cat=alert ") {
            break message;
        }
    };
    ensure!(
        alert.contains("src=10.0.0.3") && alert.contains("dst=10.0.0.4"),
        "{alert}"
    );
    let status = site.status_when("the receiver to have all", |status| {
        let siem = output(status, "siem");
        siem["failing"].is_null() && number(&siem, "/waiting") == 0
    })?;
    let sent = number(&output(&status, "siem"), "/events");
    let told = wait_for("the events' file", SECONDS, || {
        let events = events(&path).ok()?;
        let kinds = ["alert", "audit"];
        let wanted = events
            .iter()
            .filter(|event| kinds.iter().any(|kind| event["event_type"] == *kind));
        let count = wanted.count() as u64;
        (count >= sent).then_some(count)
    })?;
    ensure!(told >= sent && sent >= 1, "{told} {sent}");
    let text = String::from_utf8(site.cli(&["status"])?.stdout)?;
    ensure!(
        text.contains("Events (siem): ") && text.contains("(syslog, TCP, cef)"),
        "{text}"
    );

    // The file of findings has the alert, and nothing else.
    let finding = wait_for("a finding", SECONDS, || {
        events(&findings).ok()?.into_iter().next()
    })?;
    ensure!(
        finding["class_uid"] == 2_004 && finding["device"]["ip"] == "10.0.0.3",
        "{finding}"
    );

    // Another receiver takes a restart, and the log says so; a mistake is named.
    let file = site.folder.path.join("wardtap.toml");
    let good = fs::read_to_string(&file)?;
    fs::write(&file, good.replace("127.0.0.1:6514", "127.0.0.1:6515"))?;
    site.signal(Signal::SIGHUP)?;
    site.daemon.wait_until("the reload", SECONDS, |log| {
        log.contains("take a restart: output.syslog").then_some(())
    })?;
    fs::write(
        &file,
        good.replace(
            "transport = \"tcp\"",
            "transport = \"tcp\"\nserver_name = \"x\"",
        ),
    )?;
    let checked = site.cli(&["config", "check", file.to_str().context("a path")?])?;
    let error = String::from_utf8(checked.stderr)?;
    ensure!(
        error
            .contains("wardtap.toml:12: output.syslog[0].server_name: it is for transport \"tls\""),
        "{error}"
    );
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}
