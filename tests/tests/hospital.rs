//! The whole way, with real parts: DCMTK and MLLP programs in a hospital of network namespaces, the daemon
//! at its mirror port. What was done is what was seen; and the patient is nowhere.

use std::{env, fs, path::Path};

use tests::{
    ability,
    hospital::Hospital,
    scenario::{CANARY, Scenario},
    sensor::Sensor,
    tally::Tally,
};

#[test]
fn the_sensor_sees_what_was_done_and_no_patient() {
    if !ability::hospital() {
        return;
    }
    let binary = env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("wardtap");
    assert!(
        binary.is_file(),
        "{} is missing: `cargo xtask build` makes it",
        binary.display()
    );
    let folder = env::temp_dir().join(format!("wardtap-hospital-{}", std::process::id()));
    let hospital = Hospital::build(&format!("wt-hospital-{}", std::process::id())).unwrap();
    let mut sensor = Sensor::start(&hospital, &binary, &folder.join("sensor")).unwrap();
    let mut scenario = Scenario::start(&hospital, &folder.join("hospital")).unwrap();
    for _ in 0..2 {
        scenario.round().unwrap();
    }
    let done = scenario.finish().unwrap().clone();
    let status = sensor.wait_for_all(&hospital).unwrap();
    for ring in status["ring"].as_array().unwrap() {
        assert_eq!(ring["lost"], 0, "{status}");
    }

    // Everything that a person or a program can read of the sensor.
    let mut said = vec![("metrics", sensor.metrics(hospital.sensor()).unwrap())];
    for words in ["status", "flows list", "sessions list", "devices list"] {
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

    let seen = Tally::of_events(&sensor.events().unwrap());
    let differences = seen.differences(&done);
    assert!(
        differences.is_empty(),
        "seen, and done:\n{}",
        differences.join("\n")
    );
    drop(scenario);
    remove(&folder);
}

fn assert_no_patient(what: &str, bytes: &[u8]) {
    for word in CANARY.words {
        let found = bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes());
        assert!(!found, "the patient's {word:?} is in {what}");
    }
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}
