//! The whole way, with real parts: DCMTK and MLLP programs in a hospital of network namespaces, the daemon
//! at its mirror port. What was done is what was seen; and the patient is nowhere.

use std::{collections::BTreeSet, env, fs, path::Path};

use serde_json::Value;
use tests::{
    ability,
    hospital::{Hospital, Role},
    scenario::{CANARY, Scenario},
    sensor::Sensor,
    tally::Tally,
};

#[test]
fn the_sensor_sees_what_was_done_and_no_patient() {
    if !ability::hospital() {
        return;
    }
    let folder = env::temp_dir().join(format!("wardtap-hospital-{}", std::process::id()));
    let hospital = Hospital::build(&format!("wt-hospital-{}", std::process::id())).unwrap();
    let mut sensor = Sensor::start(&hospital, &folder.join("sensor")).unwrap();
    let mut scenario = Scenario::start(&hospital, &folder.join("hospital")).unwrap();
    for _ in 0..2 {
        scenario.round().unwrap();
    }
    let done = scenario.finish().unwrap().clone();
    drop(scenario);
    assert_patient_went_by(&folder.join("hospital"));
    assert_eq!(
        sensor.differences(&done).unwrap(),
        [""; 0],
        "seen, and done"
    );
    let account = sensor.account(&hospital).unwrap();
    assert_eq!(account.lost, 0, "{account:?}");
    assert_eq!(known_hosts(&sensor), expected_hosts());
    assert_roles(&sensor);

    // Everything that a person or a program can read of the sensor.
    let mut said = vec![("metrics", sensor.metrics(hospital.sensor()).unwrap())];
    for words in [
        "status",
        "flows list",
        "sessions list",
        "devices list",
        "devices show 10.77.1.20",
    ] {
        for form in [&[][..], &["--json"]] {
            let arguments: Vec<_> = words.split(' ').chain(form.iter().copied()).collect();
            said.push((words, sensor.ask(&arguments).unwrap()));
        }
    }
    assert!(said[0].1.contains("wardtap_packets_total"), "{}", said[0].1);
    sensor.stop().unwrap();
    said.push(("log", sensor.log()));
    for (what, text) in &said {
        assert_no_patient(what, text.as_bytes());
    }
    for file in fs::read_dir(folder.join("sensor")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            assert_no_patient(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }

    // Its end added nothing.
    let seen = Tally::of_events(&sensor.events().unwrap());
    assert_eq!(seen.differences(&done), [""; 0], "seen, and done");
    fs::remove_dir_all(&folder).unwrap();
}

/// The image came to the workstation in clear text, and its name with it: there was something to find.
fn assert_patient_went_by(folder: &Path) {
    let image = fs::read(folder.join("workstation/CT.2.25.1.1")).unwrap();
    let name = CANARY.name.as_bytes();
    assert!(image.windows(name.len()).any(|window| window == name));
}

/// Addresses of the hosts that the sensor knows, and the Ethernet address of each.
fn known_hosts(sensor: &Sensor) -> BTreeSet<(String, String)> {
    let devices = sensor.ask_json(&["devices", "list"]).unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let devices = devices["items"].as_array().unwrap().iter();
    devices
        .map(|device| (word(&device["address"]), word(&device["macs"][0])))
        .collect()
}

fn expected_hosts() -> BTreeSet<(String, String)> {
    let host = |role: Role| (role.address().to_string(), role.mac());
    Role::ALL.into_iter().map(host).collect()
}

/// What each host is follows from what it did, and the reason says so.
fn assert_roles(sensor: &Sensor) {
    for (role, expected, reason) in [
        (Role::Modality, "modality", "sends C-STORE to 10.77.1.10 as"),
        (Role::Pacs, "archive", "answers C-FIND of 10.77.1.50"),
        (
            Role::Engine,
            "interface_engine",
            "sends HL7 results (ORU) to 10.77.1.40",
        ),
        (
            Role::Ehr,
            "health_record",
            "takes HL7 admissions (ADT) from 10.77.1.30",
        ),
        (
            Role::Workstation,
            "workstation",
            "sends C-MOVE or C-GET to 10.77.1.10",
        ),
    ] {
        let address = role.address().to_string();
        let device = sensor.ask_json(&["devices", "show", &address]).unwrap();
        let told = &device["items"][0];
        assert_eq!(told["role"]["role"], expected, "{told}");
        let reasons = told["role"]["reasons"].as_array().unwrap();
        let has = |one: &Value| one.as_str().unwrap().contains(reason);
        assert!(reasons.iter().any(has), "{reason:?} in {told}");
        assert_eq!(told["vendor"], "random (locally administered)", "{told}");
        assert!(told["baseline"]["facts"].as_u64() > Some(0), "{told}");
    }
}

fn assert_no_patient(what: &str, bytes: &[u8]) {
    for word in CANARY.words {
        let found = bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes());
        assert!(!found, "the patient's {word:?} is in {what}");
    }
}
