//! The sensor in the path, an intruder, and what happens to it: a story that the demo tells and a test
//! holds to.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    dicom::{self, Patient},
    feed::{self, Account},
    hospital::{Hospital, Role},
    intruder::Intruder,
    report::{self, Deeds},
    scenario::{CANARY, IMAGES, Scenario},
    sensor::Sensor,
    wait::wait_for,
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

const TOPOLOGY: &str = r"
The same hospital with the sensor in the path, and with two more devices on the wards:

   modality  engine  workstation  pump gateway  intruder        pacs       ehr
     .20      .30       .50           .70          .66           .10       .40
      │        │         │             │            │             │         │
   ═══╧════════╧═════════╧══════╤══════╧════════════╧═══       ═══╧════╤════╧═══
                         floor0 └──────── sensor ────────┘ core0
                                  rules drop here

The pump gateway is protected. What the intruder does is watched from here on; the mode is automatic, two
findings of different kinds are needed. Messages and images go on all the time, and each is accounted for.
";
/// What is done in this time is the hospital's normal work.
const LEARNING: Duration = Duration::from_secs(8);
const CONFIGURATION: &str = "\
[containment]
mode = \"automatic\"
[baseline]
learning = \"8s\"
doubt = \"1s\"
";
const LIMIT: Duration = Duration::from_secs(20);

/// Says whether to go on.
pub type Check<'a> = dyn Fn() -> Result<()> + 'a;

/// Builds the hospital of namespaces whose names begin with `prefix`, lets it work, and lets the intruder
/// in; says what happens. `check` ends it early.
///
/// # Errors
/// When the intruder is not contained, something clinical is lost, or the pump gateway is blocked.
pub fn run(prefix: &str, folder: &Path, check: &Check<'_>) -> Result<()> {
    println!("{TOPOLOGY}");
    let hospital = Hospital::build_inline(prefix)?;
    let mut sensor = Sensor::start_inline(&hospital, &folder.join("inline"), CONFIGURATION)?;
    let begin = Instant::now();
    let done = attack(&hospital, &sensor, folder, begin, check);
    let stopped = sensor.stop().and_then(|()| sensor.unload());
    done.and(stopped)
}

fn attack(
    hospital: &Hospital,
    sensor: &Sensor,
    folder: &Path,
    begin: Instant,
    check: &Check<'_>,
) -> Result<()> {
    let report = folder;
    let folder = folder.join("attack");
    sensor.show(&[
        "protect",
        "add",
        "--device",
        &Role::Pump.address().to_string(),
        "--reason",
        "infusion pumps, intensive care",
    ])?;
    let mut scenario = Scenario::start(hospital, &folder)?;
    while scenario.rounds() == 0 || begin.elapsed() < LEARNING {
        scenario.round()?;
        check()?;
    }
    scenario.finish()?;
    // It began with the first packet, which on a busy machine comes late.
    wait_for("the site to be learnt", LIMIT, || {
        let status = sensor.ask_json(&["status"]).ok()?;
        (status["detection"]["site_learnt"].as_f64()? >= 1.0).then_some(())
    })?;

    let (name, id) = (CANARY.name, CANARY.id);
    let images = dicom::make_study(&folder.join("feed"), Patient { name, id }, 900, IMAGES)?;
    let account = Account::default();
    let deeds = feed::during(hospital, &images, &account, || {
        intrude(hospital, sensor, &folder, check)
    })?;
    println!("\nMeanwhile: {}.", account.words());
    println!(
        "\n$ wardtap report incident {}\nWhat is left of it afterwards, for who has to decide and to answer for it:\n",
        deeds.alert
    );
    report::check(sensor, &deeds, report)?;
    println!(
        "\nThe whole report: {0}/incident.html for a browser or a printer, {0}/incident.json for programs.",
        report.display()
    );

    println!(
        "\n$ wardtap audit show\nEvery decision, also the decision to do nothing, with its reason:\n"
    );
    let trail = sensor.trail();
    let trail = trail.to_str().context("a path that is no text")?;
    sensor.show(&["audit", "show", trail, "--last", "14"])?;
    sensor.show(&["audit", "verify", trail])
}

fn intrude(
    hospital: &Hospital,
    sensor: &Sensor,
    folder: &Path,
    check: &Check<'_>,
) -> Result<Deeds> {
    let begin = SystemTime::now();
    let role = Role::Intruder;
    let intruder = Intruder { hospital, role };
    let guessed = intruder.guess()?;
    println!(
        "The intruder tries AE titles: {} answered.",
        guessed.answered
    );
    ensure!(
        guessed.answered >= 5,
        "the archive did not answer: {guessed:?}"
    );
    check()?;
    let alert = explain(sensor)?;
    let stolen = intruder.pull(1, &folder.join("stolen-1"))?;
    println!(
        "It looks for studies and pulls one (C-FIND, C-GET): {stolen} images came before the rule was in force."
    );
    let pair = rule_against(sensor, "pair")?;
    println!(
        "Contained, the narrowest way first: rule {} for {}.",
        pair["id"],
        words(&pair)
    );
    let scanned = intruder.scan()?;
    println!(
        "It scans the data centre: {} ports answered, {} were silent.",
        scanned.answered, scanned.silent
    );
    let device = rule_against(sensor, "device")?;
    println!(
        "It goes on, so the rule is widened: rule {} for {}.",
        device["id"],
        words(&device)
    );
    let contained = SystemTime::now();

    let again = intruder.guess()?;
    let pulled = intruder.pull(1, &folder.join("stolen-2"))?;
    let diverted = intruder.divert(1)?;
    let scanned = intruder.scan()?;
    println!(
        "And again: {} titles answered, {pulled} images, C-MOVE {}, {} ports answered.",
        again.answered,
        if diverted { "done" } else { "failed" },
        scanned.answered
    );
    ensure!(
        again.answered == 0 && pulled == 0 && !diverted && scanned.answered == 0,
        "the intruder is not contained"
    );
    check()?;

    let role = Role::Pump;
    let pump = Intruder { hospital, role };
    let (scanned, tried) = (pump.scan()?, pump.guess()?);
    println!(
        "The pump gateway, made to look guilty, scans and tries titles too: {} ports and {} titles answered.",
        scanned.answered, tried.answered
    );
    let refused = decision_about(sensor, &Role::Pump.address().to_string())?;
    println!("It is not blocked: {refused}.");
    ensure!(
        pump.scan()?.silent == 0,
        "the protected pump gateway was blocked"
    );
    wait_for("the rule to be seen to work", LIMIT, || {
        let rules = sensor.ask_json(&["rules", "list"]).ok()?;
        let items = rules["items"].as_array()?.clone();
        items
            .iter()
            .any(|rule| rule["effect"]["verdict"] == "effective")
            .then_some(())
    })?;
    println!(
        "\n$ wardtap alerts list\nWhat people are told: one alert for each device, not one for each finding:\n"
    );
    sensor.show(&["alerts", "list"])?;
    println!("\n$ wardtap rules list\nWhat is blocked, by whom, why, and whether it works:\n");
    sensor.show(&["rules", "list"])?;
    let number = |rule: &Value| rule["id"].as_u64().context("a rule without a number");
    Ok(Deeds {
        begin,
        contained,
        title: "WS_GUEST",
        rejected: guessed.answered,
        images: stolen.try_into()?,
        pair: number(&pair)?,
        device: number(&device)?,
        alert,
    })
}

/// Shows the alert about the intruder, before anything is done about it; its number.
fn explain(sensor: &Sensor) -> Result<u64> {
    let intruder = Role::Intruder.address().to_string();
    // One finding alone is not acted upon; the alert says so.
    let alert = wait_for("an alert about the intruder", LIMIT, || {
        let alerts = sensor.ask_json(&["alerts", "list"]).ok()?;
        let about = |alert: &&Value| alert["device"] == *intruder && decided(alert, "wait");
        alerts["items"].as_array()?.iter().find(about).cloned()
    })?;
    let rules = sensor.ask_json(&["rules", "list"])?;
    ensure!(rules["total"] == 0, "it is contained already: {rules}");
    let id = alert["id"].to_string();
    println!(
        "\n$ wardtap alerts show {id}\nBefore anything is done: what is known, what is usual, what would make it \
         wrong, what containment would touch:\n"
    );
    sensor.show(&["alerts", "show", &id])?;
    println!();
    for (part, there) in [
        ("evidence", alert["findings"][0]["evidence"].is_string()),
        ("amounts", !alert["features"][0]["value"].is_null()),
        ("what to check", alert["check"][0].is_string()),
        (
            "what containment would do",
            alert["containment"]["action"].is_string(),
        ),
        ("an ATT&CK technique", alert["techniques"][0] == "T1110"),
    ] {
        ensure!(there, "the alert lacks {part}: {alert}");
    }
    let clinical = alert["containment"]["clinical"].as_array();
    ensure!(
        clinical.is_none_or(Vec::is_empty),
        "the intruder has no clinical traffic: {alert}"
    );
    alert["id"].as_u64().context("an alert without a number")
}

fn decided(alert: &Value, verdict: &str) -> bool {
    let decisions = alert["decisions"].as_array();
    decisions.is_some_and(|all| all.iter().any(|one| one["verdict"] == verdict))
}

fn words(rule: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let target = &rule["target"];
    if target["kind"] == "device" {
        return format!("all of {}", text(&target["address"]));
    }
    let (a, b) = (text(&target["a"]), text(&target["b"]));
    format!("{a} → {b} port {}", target["service"]["port"])
}

/// Waits for a rule of this kind that is about the intruder.
fn rule_against(sensor: &Sensor, kind: &str) -> Result<Value> {
    let intruder = Role::Intruder.address().to_string();
    wait_for(
        &format!("a {kind} rule against the intruder"),
        LIMIT,
        || {
            let rules = sensor.ask_json(&["rules", "list"]).ok()?;
            rules["items"]
                .as_array()?
                .iter()
                .find(|rule| {
                    rule["target"]["kind"] == kind && rule["target"].to_string().contains(&intruder)
                })
                .cloned()
        },
    )
    .with_context(|| match sensor.ask_json(&["alerts", "list"]) {
        Ok(alerts) => format!("what was decided: {alerts}"),
        Err(error) => format!("{error:#}"),
    })
}

/// Waits for a decision to do nothing about `subject` because it is protected: its reason.
fn decision_about(sensor: &Sensor, subject: &str) -> Result<String> {
    let trail: PathBuf = sensor.trail();
    wait_for("a decision about the pump gateway", LIMIT, || {
        let text = fs::read_to_string(&trail).ok()?;
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|entry| {
                entry["action"] == "decided"
                    && entry["subject"] == subject
                    && entry["verdict"] == "no_action"
                    && entry["reason"]
                        .as_str()
                        .is_some_and(|reason| reason.contains("protected"))
            })
            .and_then(|entry| Some(entry["reason"].as_str()?.to_owned()))
    })
}
