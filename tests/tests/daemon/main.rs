//! The daemon as an operator has it: the real binary on a real interface, asked over its socket and its
//! metrics, stopped, overrun, with a full disk and a bad configuration.

mod agreement;
mod alerts;
mod backup;
mod evidence;
mod incidents;
mod lists;
mod outputs;
mod reload;

use std::fs;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{
    ability::privileged,
    folder::Folder,
    reading::{events, messages, number, packets, ring},
    site::{SECONDS, Site},
    wait::wait_for,
};

#[test]
fn a_daemon_sees_answers_and_ends_in_order() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("run", "")?;
    site.send(20)?;
    let status = site.status_when("20 messages", |status| {
        number(status, "/pipeline/hl7_messages") == 20
    })?;
    assert_eq!(packets(&status), 20, "each frame is counted");
    let (offered, received, lost) = ring(&status);
    assert!(offered >= 20 && lost == 0, "offered {offered}, lost {lost}");
    assert_eq!(offered, received + lost);

    let sessions = site.json(&["sessions", "list"])?.to_string();
    assert!(sessions.contains("ORU^R01"), "{sessions}");
    let flows = site.json(&["flows", "list"])?.to_string();
    assert!(
        flows.contains("10.0.0.1") && flows.contains("1:"),
        "{flows}"
    );
    let devices = site.json(&["devices", "list"])?.to_string();
    assert!(devices.contains("10.0.0.1"), "{devices}");

    assert_eq!(site.get("/-/healthy")?, "healthy\n");
    assert_eq!(site.get("/-/ready")?, "ready\n");
    let metrics = site.metrics()?;
    let packets = |labels: &str| {
        metrics
            .get(&format!("wardtap_packets_total{labels}"))
            .copied()
    };
    assert_eq!(
        packets("{interface=\"span0\",disposition=\"in_flow\"}"),
        Some(20.0)
    );
    let types = metrics.get("wardtap_hl7_messages_total{type=\"ORU\"}");
    assert_eq!(types, Some(&20.0));
    assert!(
        !metrics.keys().any(|name| name.contains("10.0.0.")),
        "an address as a label"
    );

    let config = site.folder.path.join("wardtap.toml");
    let second = site.cli(&["run", "--config", config.to_str().context("path")?])?;
    let words = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{words}");
    assert!(words.contains("another wardtap"), "{words}");

    let socket = site.folder.path.join("control.sock");
    assert!(socket.exists(), "the second daemon took the socket away");
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    assert!(!socket.exists(), "the socket is left behind");
    let link = site.sensor.ip(&["-d", "link", "show", "span0"])?;
    assert!(!link.contains("xdp"), "the program is left behind: {link}");
    let events = events(&site.folder.path.join("events.jsonl"))?;
    assert_eq!(messages(&events), 20);
    let flow =
        |event: &&Value| event["event_type"] == "flow" && event["flow"]["reason"] == "shutdown";
    assert_eq!(
        events.iter().filter(flow).count(),
        1,
        "the flow's last report"
    );
    for (name, text) in [
        ("log", site.daemon.log()),
        ("events", format!("{events:?}")),
    ] {
        assert!(!text.contains("CANARY"), "patient data in the {name}");
    }
    Ok(())
}

#[test]
fn a_stale_socket_is_replaced() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("stale", "")?;
    site.signal(Signal::SIGKILL)?;
    wait_for("the daemon's death", SECONDS, || {
        site.daemon.ended().ok()?
    })?;
    assert!(
        site.folder.path.join("control.sock").exists(),
        "kill -9 leaves it"
    );
    site.start_again()?;
    site.status_when("the new daemon to answer", |_| true)?;
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    Ok(())
}

#[test]
fn what_a_full_ring_loses_is_counted_exactly() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("burst", "[ring]\nsize = \"4KiB\"")?;
    // A daemon that does not run reads nothing, so the ring overflows for sure.
    site.signal(Signal::SIGSTOP)?;
    site.send(500)?;
    site.signal(Signal::SIGCONT)?;
    let status = site.status_when("500 packets", |status| packets(status) == 500)?;
    let (offered, received, lost) = ring(&status);
    assert!(offered >= 500 && lost > 0, "offered {offered}, lost {lost}");
    assert_eq!(offered, received + lost, "offered = received + lost");
    assert!(
        status["warnings"]
            .to_string()
            .contains("ring buffer was full"),
        "{status:#}"
    );
    let metrics = site.metrics()?;
    let sides = metrics.total("wardtap_ring_events_received_total")
        + metrics.total("wardtap_ring_bad_records_total")
        + metrics.total("wardtap_ring_events_lost_total");
    assert!((metrics.total("wardtap_ring_events_offered_total") - sides).abs() < 0.5);
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    Ok(())
}

#[test]
fn an_interface_that_comes_back_is_listened_on_again() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("comeback", "")?;
    let gone = |status: &Value| {
        let warnings = status["warnings"].to_string();
        warnings.contains("span0: the interface was taken away")
    };
    site.send(5)?;
    site.status_when("5 packets", |status| packets(status) == 5 && !gone(status))?;
    for round in 1..=2 {
        site.cut()?;
        site.status_when("the interface to be missed", gone)?;
        let present = site.metrics()?["wardtap_interface_present{interface=\"span0\"}"];
        assert!(present.abs() < 0.5, "{present}");
        site.mend()?;
        site.status_when("the interface to be back", |status| !gone(status))?;
        let link = site.sensor.ip(&["-d", "link", "show", "span0"])?;
        assert!(link.contains("promiscuity 1"), "{link}");
        site.send(5)?;
        let all = 5 * (round + 1);
        site.status_when("all packets", |status| {
            packets(status) == all && number(status, "/pipeline/hl7_messages") == all
        })?;
    }
    // Another name changes nothing.
    for change in [
        &["link", "set", "span0", "down"][..],
        &["link", "set", "span0", "name", "other"],
        &["link", "set", "other", "up"],
    ] {
        site.sensor.ip(change)?;
    }
    let carrier = || site.sensor.ip(&["link", "show", "other"]).ok();
    wait_for("the carrier", SECONDS, || {
        carrier()?.contains("state UP").then_some(())
    })?;
    site.send(5)?;
    let status = site.status_when("5 more", |status| packets(status) == 20)?;
    assert!(!gone(&status), "{status:#}");
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    let written = events(&site.folder.path.join("events.jsonl"))?;
    let of_span = |event: &&Value| event["event_type"] == "hl7" && event["in_iface"] == "span0";
    assert!(written.iter().filter(of_span).count() >= 15);
    Ok(())
}

#[test]
fn every_flow_is_accounted_for() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let tables = "[flow]\nfresh = 1024\nestablished = 1024";
    let mut site = Site::start("flows", tables)?;
    site.send(10)?;
    site.scan(5_000)?;
    site.status_when("all packets", |status| packets(status) == 5_010)?;
    // The account is drawn up at the end of each sweep; once one has seen the rest it is exact.
    let account = || {
        let metrics = site.metrics().ok()?;
        let evicted = metrics.total("wardtap_flows_evicted_total");
        let accounted = metrics.total("wardtap_flows_swept_total")
            + metrics.total("wardtap_flows_replaced_total")
            + metrics.total("wardtap_flow_table_entries")
            + evicted;
        let created = metrics.total("wardtap_flows_created_total");
        ((accounted - created).abs() < 0.5).then_some((created, evicted))
    };
    let (created, evicted) = wait_for("created = ended + live + evicted", SECONDS, account)?;
    assert!((created - 5_001.0).abs() < 0.5, "{created} flows made");
    assert!(
        evicted >= 3_000.0,
        "{evicted} of 5,000 flows evicted from a table of 1,024"
    );

    // What was in the tables at the end is reported, each flow once.
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    let events = events(&site.folder.path.join("events.jsonl"))?;
    let stats = events.last().context("no events")?;
    let reported = events
        .iter()
        .filter(|event| event["event_type"] == "flow")
        .count() as u64;
    let evicted = number(stats, "/stats/flows_evicted");
    let created = number(stats, "/stats/flow_created");
    assert_eq!(reported + evicted, created, "reported + evicted = created");
    Ok(())
}

#[test]
fn a_full_disk_is_said_and_survived() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut folder = Folder::create("disk")?;
    let disk = folder.small_disk(1 << 18)?;
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 200_000])?;
    let path = disk.join("events.jsonl");
    let mut site = Site::start_in("disk", folder, &path, "")?;
    site.send(300)?;
    let full = site.status_when("the output to fail", |status| {
        status["outputs"][0]["failing"].is_string()
            && number(status, "/pipeline/hl7_messages") == 300
    })?;
    assert!(
        full["warnings"].to_string().contains("can't be written"),
        "{full:#}"
    );
    assert_eq!(
        site.metrics()?
            .get("wardtap_output_failing{output=\"json\"}"),
        Some(&1.0)
    );
    events(&path)?;

    fs::remove_file(&ballast)?;
    site.status_when("writing to go on", |status| {
        status["outputs"][0]["failing"].is_null()
    })?;
    site.send(10)?;
    site.status_when("10 more", |status| {
        number(status, "/pipeline/hl7_messages") == 310
    })?;
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    let log = site.daemon.log();
    assert_eq!(
        log.matches("can't write events").count(),
        1,
        "said once: {log}"
    );
    assert!(log.contains("events are written again"), "{log}");

    let written = events(&path)?;
    let stats = written.last().context("no events")?;
    assert_eq!(
        stats["event_type"], "stats",
        "the last line is the final account"
    );
    let lost = number(stats, "/stats/output_json_dropped_write_error");
    let kept = messages(&written) as u64;
    assert!((10..=310).contains(&kept), "{kept} messages");
    assert!(kept + lost >= 310, "{kept} written, {lost} dropped, of 310");
    Ok(())
}

#[test]
fn a_bad_configuration_leaves_the_old_one_in_force() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("reload", "")?;
    let path = site.folder.path.join("wardtap.toml");
    let good = fs::read_to_string(&path)?;
    let first = site.folder.path.join("events.jsonl");

    fs::write(&path, format!("{good}\nnonsense = 1\n"))?;
    site.signal(Signal::SIGHUP)?;
    let said = "the old one stays in force";
    let log = site.daemon.wait_until("the refusal", SECONDS, |log| {
        log.contains(said).then(|| log.to_owned())
    })?;
    assert!(log.contains("nonsense"), "the key is not named: {log}");
    site.send(5)?;
    site.status_when("5 messages", |status| {
        number(status, "/pipeline/hl7_messages") == 5
    })?;
    wait_for("5 lines", SECONDS, || {
        (messages(&events(&first).ok()?) == 5).then_some(())
    })?;

    // A good file: what can change does, what can't is named.
    let second = site.folder.path.join("second.jsonl");
    let changed = good.replace("events.jsonl", "second.jsonl") + "[ring]\nsize = \"1MiB\"\n";
    fs::write(&path, changed)?;
    site.signal(Signal::SIGHUP)?;
    let log = site.daemon.wait_until("the reload", SECONDS, |log| {
        log.contains("take a restart").then(|| log.to_owned())
    })?;
    assert!(log.contains("take a restart: ring.size"), "{log}");
    wait_for("the new file", SECONDS, || second.exists().then_some(()))?;
    site.send(5)?;
    wait_for("5 lines in it", SECONDS, || {
        (messages(&events(&second).ok()?) == 5).then_some(())
    })?;
    assert_eq!(site.daemon.stop()?.code(), Some(0), "{}", site.daemon.log());
    assert_eq!(messages(&events(&first)?), 5, "the old file is left alone");
    Ok(())
}
