//! An intruder is contained automatically while the hospital works on: promise 3, whole.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process,
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use tests::{
    ability, attack,
    dicom::{self, Client, MODALITY, PACS, Patient},
    hospital::{Hospital, Role},
    office,
    scenario::{CANARY, Scenario},
    sensor::Sensor,
    wait::wait_for,
};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn an_intruder_is_contained_and_care_goes_on() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wardtap-attack-{}", process::id()));
    fs::create_dir_all(&folder)?;
    attack::run("wardtap-attack", &folder, &|| Ok(()))?;
    events_are_as_the_schema_says(&folder.join("inline/events.jsonl"))?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn events_are_as_the_schema_says(events: &Path) -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(docs)?)?;
    let schema = jsonschema::draft202012::new(&schema)?;
    let mut seen = BTreeMap::<String, u32>::new();
    for line in fs::read_to_string(events)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        if let Some(error) = schema.iter_errors(&event).next() {
            bail!("{error} at {}: {line}", error.instance_path());
        }
        let kind = event["event_type"].as_str().unwrap_or_default();
        *seen.entry(kind.to_owned()).or_default() += 1;
    }
    println!("events as the schema says: {seen:?}");
    for kind in ["finding", "alert", "audit"] {
        ensure!(seen.contains_key(kind), "there was no {kind} event");
    }
    Ok(())
}

#[test]
fn keep_clinical_lets_pass_what_was_learnt_and_nothing_else() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wardtap-clinical-{}", process::id()));
    let hospital = Hospital::build_inline("wardtap-clin")?;
    let more = "[containment]\nclinical_after = \"1s\"\n";
    let mut sensor = Sensor::start_inline(&hospital, &folder.join("sensor"), more)?;
    let done = keep_clinical(&hospital, &sensor, &folder);
    sensor.stop().and_then(|()| sensor.unload())?;
    done?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn keep_clinical(hospital: &Hospital, sensor: &Sensor, folder: &Path) -> Result<()> {
    let mut scenario = Scenario::start(hospital, folder)?;
    scenario.round()?;
    let modality = Client {
        hospital,
        role: Role::Modality,
        title: MODALITY,
    };
    let (name, id) = (CANARY.name, CANARY.id);
    let files = dicom::make_study(&folder.join("more"), Patient { name, id }, 77, 2)?;
    let pings = || {
        let host = hospital.host(Role::Modality);
        let to = Role::Pacs.address().to_string();
        host.command("ping")
            .args(["-q", "-c", "1", "-W", "1", &to])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let web = || {
        let to = SocketAddr::from((Role::Ehr.address(), office::HTTP_PORT));
        hospital
            .host(Role::Modality)
            .within(move || Ok(TcpStream::connect_timeout(&to, Duration::from_millis(500)).is_ok()))
    };
    ensure!(pings() && web()?, "before the rule all pass");

    // Of the workstation's guest nothing clinical is known; of the modality it is, a second later.
    let add = [
        "rules",
        "add",
        "--scope",
        "keep-clinical",
        "--reason",
        "odd traffic",
        "--device",
    ];
    let intruder = Role::Intruder.address().to_string();
    let refused = sensor.ask(&[&add[..], &[&intruder]].concat());
    ensure!(
        refused.is_err_and(|error| error.to_string().contains("no clinical traffic")),
        "a rule that would drop all was made"
    );
    let device = Role::Modality.address().to_string();
    // The rule keeps what counts as learnt when it is made; here that takes a second.
    std::thread::sleep(Duration::from_millis(1_500));
    let added = wait_for(
        "the modality's clinical traffic to count as learnt",
        LIMIT,
        || sensor.ask_json(&[&add[..], &[&device]].concat()).ok(),
    )?;
    modality.echo(PACS)?;
    modality.store(&files)?;
    modality.store_tls(&files)?;
    ensure!(!pings(), "ping is no clinical traffic");
    ensure!(!web()?, "a web page is no clinical traffic");
    // Address resolution goes on: a fresh neighbour entry, and still it works.
    let _ = hospital
        .host(Role::Modality)
        .ip(&["neighbour", "flush", "all"]);
    modality.store(&files)?;
    let rules = sensor.ask_json(&["rules", "list"])?;
    ensure!(
        rules["items"][0]["hits"]["packets"].as_u64() > Some(0),
        "{rules}"
    );
    sensor.ask(&["rules", "disable", &added["rule"]["id"].to_string()])?;
    ensure!(pings() && web()?, "a disabled rule drops nothing");
    sensor.ask(&["rules", "enable", &added["rule"]["id"].to_string()])?;
    ensure!(!pings(), "an enabled rule drops");
    sensor.ask(&["rules", "release-all"])?;
    ensure!(pings(), "all rules are lifted");
    Ok(())
}
