//! One attack through all outputs: the same quantity is the same number wherever a person or a program can read it, before
//! and after a restart.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use sensor_evidence::store::Reader;
use sensor_facts::time::Time;
use serde_json::{Value, json};
use tests::{
    ability::privileged,
    folder::Folder,
    reading::{events, number},
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

/// Ports that are asked: findings come at 20 and 40, so none of them has this number.
const PORTS: u16 = 47;
/// Bytes of each question, from the IP header on.
const QUESTION: u64 = 29;
/// How long outputs may lag behind the lists: changes are told 10 s later, and a scan has settled after 2 s.
const LAG: Duration = Duration::from_secs(30);
const SYSLOG: &str =
    "[[output.syslog]]\nname = \"siem\"\naddress = \"127.0.0.1:6514\"\ntransport = \"tcp\"\n";

/// What an output says of the attack; `None` where it has no place for it.
#[derive(Clone, Debug, Default)]
struct Told {
    title: Option<String>,
    severity: Option<String>,
    opened: Option<i64>,
    updated: Option<i64>,
    findings: Option<u64>,
    victims: Option<u64>,
    decided: Option<String>,
    why: Option<String>,
}

impl Told {
    /// The differences of two outputs; times to the millisecond, which is what CEF and OCSF have.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut all = Vec::new();
        let mut compare = |what: &str, one: Option<String>, two: Option<String>| {
            if let (Some(one), Some(two)) = (one, two)
                && one != two
            {
                all.push(format!("{what}: {one} and {two}"));
            }
        };
        let number = |number: Option<u64>| number.map(|it| it.to_string());
        let time = |time: Option<i64>| time.map(|it| it.to_string());
        compare("title", self.title.clone(), other.title.clone());
        compare("severity", self.severity.clone(), other.severity.clone());
        compare("opened", time(self.opened), time(other.opened));
        compare("updated", time(self.updated), time(other.updated));
        compare("findings", number(self.findings), number(other.findings));
        compare("victims", number(self.victims), number(other.victims));
        compare("decided", self.decided.clone(), other.decided.clone());
        compare("why", self.why.clone(), other.why.clone());
        all
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn millis(value: &Value) -> Option<i64> {
    let time: Timestamp = value.as_str()?.parse().ok()?;
    Some(time.as_millisecond())
}

/// What an alert says, as lists, events and the store have it.
fn of_alert(alert: &Value) -> Told {
    let decided = alert["decisions"].as_array().and_then(|all| all.last());
    Told {
        title: text(&alert["title"]),
        severity: text(&alert["severity"]),
        opened: millis(&alert["opened"]),
        updated: millis(&alert["updated"]),
        findings: alert["finding_count"].as_u64(),
        victims: alert["findings"][0]["victim_count"].as_u64(),
        decided: decided.and_then(|one| text(&one["verdict"])),
        why: decided.and_then(|one| text(&one["reason"])),
    }
}

fn of_ocsf(finding: &Value) -> Told {
    let decisions = finding["unmapped"]["decisions"].as_array();
    let decided = decisions.and_then(|all| all.last());
    Told {
        title: text(&finding["message"]),
        severity: text(&finding["severity"]).map(|it| it.to_lowercase()),
        opened: finding["start_time"].as_i64(),
        updated: finding["end_time"].as_i64(),
        findings: finding["count"].as_u64(),
        victims: finding["evidences"][0]["data"]["victim_count"].as_u64(),
        decided: decided.and_then(|one| text(&one["verdict"])),
        why: decided.and_then(|one| text(&one["reason"])),
    }
}

/// The keys of a line of CEF; values have no escaped characters here.
fn of_cef(line: &str) -> Told {
    let mut parts = line.splitn(8, '|');
    let severity = parts.nth(6).and_then(|number| match number {
        "3" => Some("low"),
        "6" => Some("medium"),
        "8" => Some("high"),
        "10" => Some("critical"),
        _ => None,
    });
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let mut key = "";
    for word in parts.next().unwrap_or_default().split(' ') {
        if let Some((name, value)) = word.split_once('=')
            && name.chars().all(|c| c.is_ascii_alphanumeric())
        {
            key = name;
            values.insert(key, value.to_owned());
        } else if let Some(value) = values.get_mut(key) {
            value.push(' ');
            value.push_str(word);
        }
    }
    let value = |key: &str| values.get(key).cloned();
    Told {
        title: value("msg"),
        severity: severity.map(str::to_owned),
        opened: value("start").and_then(|it| it.parse().ok()),
        updated: value("end").and_then(|it| it.parse().ok()),
        findings: value("cnt").and_then(|it| it.parse().ok()),
        victims: None,
        decided: value("act"),
        why: value("reason"),
    }
}

/// A receiver of syslog: the last line about an alert.
fn receiver(site: &Site) -> Result<Arc<Mutex<String>>> {
    let listener = site
        .sensor
        .within(|| Ok(TcpListener::bind("127.0.0.1:6514")?))?;
    let last = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&last);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream?);
            loop {
                let mut length = Vec::new();
                if stream.read_until(b' ', &mut length)? == 0 {
                    break;
                }
                let length: usize = String::from_utf8(length)?.trim_end().parse()?;
                let mut message = vec![0; length];
                stream.read_exact(&mut message)?;
                let message = String::from_utf8(message)?;
                let at = message.find("CEF:0|").context("no CEF")?;
                if message.contains("|cat=alert ")
                    && let Ok(mut kept) = kept.lock()
                {
                    message[at..].clone_into(&mut kept);
                }
            }
        }
        anyhow::Ok(())
    });
    Ok(last)
}

/// What the store has.
fn of_store(site: &Site, id: u64) -> Result<Told> {
    let reader = Reader::open(&site.folder.path.join("state"))?;
    let alert = reader.alert(id)?.context("the store has no such alert")?;
    let all = reader.alerts(Time(0)..Time(i64::MAX))?;
    ensure!(all.len() == 1, "the store has {} alerts", all.len());
    Ok(of_alert(&serde_json::to_value(alert)?))
}

fn last(path: &std::path::Path, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let all = events(path)?;
    let found = all.into_iter().rev().find(wanted);
    found.with_context(|| format!("{} has none", path.display()))
}

/// What each output says now.
fn told(site: &Site, id: u64, cef: &Mutex<String>) -> Result<Vec<(&'static str, Told)>> {
    let number = id.to_string();
    let folder = &site.folder.path;
    let list = site.json(&["alerts", "list"])?;
    let shown = site.json(&["alerts", "show", &number])?;
    let event = last(&folder.join("events.jsonl"), |it| {
        it["event_type"] == "alert"
    })?;
    let ocsf = last(&folder.join("ocsf.jsonl"), |_| true)?;
    let report = site.cli(&["report", "incident", &number, "--format", "json"])?;
    let report: Value = serde_json::from_slice(&report.stdout)?;
    let cef = cef.lock().map(|line| line.clone()).unwrap_or_default();
    Ok(vec![
        ("the list", of_alert(&list["items"][0])),
        ("alert show", of_alert(&shown)),
        ("the report", of_alert(&report["alert"])),
        ("JSON lines", of_alert(&event["alert"])),
        ("OCSF", of_ocsf(&ocsf)),
        ("CEF", of_cef(&cef)),
        ("the store", of_store(site, id)?),
    ])
}

/// Compares all with the list.
fn agreed(all: &[(&str, Told)]) -> Result<()> {
    let (_, list) = all.first().context("no list")?;
    for (name, one) in all {
        let differences = list.differences(one);
        ensure!(
            differences.is_empty(),
            "{name}: {differences:#?} in {one:#?}"
        );
    }
    Ok(())
}

#[test]
fn one_attack_is_the_same_in_all_outputs() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let folder = Folder::create("agreement")?;
    let more = format!(
        "{SCANS_ALERT}{SYSLOG}[output.ocsf]\npath = \"{}\"\n",
        folder.path.join("ocsf.jsonl").display()
    );
    let path = folder.path.join("events.jsonl");
    let mut site = Site::start_in("agreement", folder, &path, &more)?;
    let cef = receiver(&site)?;
    site.scan(PORTS)?;
    let wanted = format!("{PORTS} connections refused or unanswered within ");
    let id = wait_for("an alert with all ports", SECONDS, || {
        let alerts = site.json(&["alerts", "list"]).ok()?;
        let title = alerts["items"][0]["title"].as_str()?;
        (title.starts_with(&wanted) && title.contains(&format!("to {PORTS} ports of 1 host")))
            .then(|| number(&alerts, "/items/0/id"))
    })?;
    let compare = |site: &Site| {
        let mut last = Ok(());
        let done = wait_for("all outputs to agree", LAG, || {
            last = told(site, id, &cef).and_then(|all| agreed(&all));
            last.is_ok().then_some(())
        });
        done.or(last)
    };
    compare(&site)?;
    let all = told(&site, id, &cef)?;
    let complete = |one: &Told| one.decided.is_some() && one.findings.is_some();
    for (name, one) in &all {
        println!("{name}: {one:?}");
        ensure!(*name == "the report" || complete(one), "{name}: {one:?}");
    }
    sums(&site, id)?;
    documents(&site, id, &all[0].1)?;
    let before = quantities(&site, id)?;

    site.restart()?;
    compare(&site)?;
    let after = quantities(&site, id)?;
    ensure!(before == after, "before {before:#?}, after {after:#?}");
    ensure!(site.daemon.stop()?.success(), "{}", site.daemon.log());
    Ok(())
}

/// What is counted: the alert's findings, the attack's packets and bytes.
fn sums(site: &Site, id: u64) -> Result<()> {
    let alert = site.json(&["alerts", "show", &id.to_string()])?;
    let severity = alert["severity"].as_str().unwrap_or_default();
    let metrics = site.metrics()?;
    let metric = |name: &str| metrics.get(&format!("wardtap_{name}")).copied();
    let findings = alert["finding_count"].as_f64();
    ensure!(
        metric("findings_total{detector=\"scan\"}") == findings,
        "{alert}"
    );
    for name in ["alerts_open", "alerts_total"] {
        let one = metric(&format!("{name}{{severity=\"{severity}\"}}"));
        ensure!(one == Some(1.0), "{name} of {severity}: {one:?}");
    }
    let status = site.json(&["status"])?;
    ensure!(status["detection"]["findings"]["scan"].as_f64() == findings);
    ensure!(
        status["detection"]["last"]["title"] == alert["title"],
        "{status}"
    );
    ensure!(number(&status, &format!("/detection/open/{severity}")) == 1);
    let events = events(&site.folder.path.join("events.jsonl"))?;
    let found = events.iter().filter(|it| it["event_type"] == "finding");
    let count = alert["finding_count"].as_u64();
    ensure!(Some(found.count() as u64) == count, "{alert}");
    let compliance = site.cli(&["report", "compliance", "--since", "1h", "--format", "json"])?;
    let compliance: Value = serde_json::from_slice(&compliance.stdout)?;
    let incidents = compliance["incidents"]["alerts"].as_array();
    ensure!(
        incidents.map(Vec::len) == Some(1),
        "{:#}",
        compliance["incidents"]
    );
    ensure!(
        compliance["incidents"]["severities"] == json!({ severity: 1 }),
        "{:#}",
        compliance["incidents"]
    );
    Ok(())
}

/// What a person reads says the same.
fn documents(site: &Site, id: u64, list: &Told) -> Result<()> {
    let title = list.title.as_deref().context("no title")?;
    let number = id.to_string();
    let begin = format!("{PORTS} connections refused or unanswered");
    for (arguments, title) in [
        (["alerts", "show", &number].as_slice(), title),
        (&["report", "incident", &number], title),
        // It shows the begin of each hit.
        (&["search", "10.0.0.3"], &begin),
    ] {
        let said = String::from_utf8(site.cli(arguments)?.stdout)?;
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
        ensure!(
            said.contains(title),
            "{arguments:?} does not say {title:?}: {said}"
        );
    }
    Ok(())
}

/// Packets and bytes of the attack in flows, contacts and the report.
fn quantities(site: &Site, id: u64) -> Result<Value> {
    let report = site.cli(&["report", "incident", &id.to_string(), "--format", "json"])?;
    let report: Value = serde_json::from_slice(&report.stdout)?;
    let victim = report["peers"].as_array().into_iter().flatten();
    let victim = victim.filter(|peer| peer["address"] == "10.0.0.4");
    // The store rounds the end of a contact up to a microsecond, so times count to the millisecond.
    let sum = |peer: &Value| {
        let mut sum = peer["after"].clone();
        for time in ["first", "last"] {
            sum[time] = json!(millis(&sum[time]));
        }
        sum
    };
    let sums: Vec<Value> = victim.map(sum).collect();
    let (packets, bytes) = (u64::from(PORTS), u64::from(PORTS) * QUESTION);
    println!("{sums:?}");
    ensure!(sums.len() == 1, "{:#}", report["peers"]);
    ensure!(
        sums[0].to_string().contains(&bytes.to_string()),
        "{bytes} bytes: {sums:?}"
    );
    let events = events(&site.folder.path.join("events.jsonl"))?;
    let flows: Vec<_> = events
        .iter()
        .filter(|it| it["event_type"] == "flow" && it["src_ip"] == "10.0.0.3")
        .collect();
    let sum = |pointer: &str| flows.iter().map(|it| number(it, pointer)).sum::<u64>();
    ensure!(
        (sum("/flow/to_server/packets"), sum("/flow/to_server/bytes")) == (packets, bytes),
        "{} flows",
        flows.len()
    );
    Ok(json!({ "victim": sums, "systems": report["systems"] }))
}
