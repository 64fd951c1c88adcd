//! Real receivers as the judge: exchanges, plain and odd, are played to DCMTK, pynetdicom, Orthanc, python-hl7 and
//! hl7apy, and the sensor has to say of the very packets what the receiver did. Nothing that a receiver acts on may be
//! missing, and nothing may be told that it did not do.
//!
//! `cargo xtask differential` runs many; the test here runs a few. Disagreements that were found are kept in `cases`.

mod choices;
mod dicom;
mod driver;
mod exchange;
mod hl7;
mod judge;
mod known;
mod receivers;
mod run;
mod script;
mod wire;

use std::{env, fs, path::Path, time::Duration};

use receivers::{ALL, Receiver, Site, missing};
use run::Options;
use tests::{ability, folder::Folder};

/// Exchanges of the short run.
const FEW: u64 = 300;
/// Its seed.
const SEED: u64 = 19;

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(format!("WARDTAP_DIFFERENTIAL_{name}"))
        .ok()?
        .parse()
        .ok()
}

/// The receivers that are here. Those that are missing are named; in continuous integration none may be.
fn present() -> Vec<Receiver> {
    let only: Option<String> = setting("RECEIVER");
    let wanted = ALL
        .into_iter()
        .filter(|one| only.as_ref().is_none_or(|only| only == one.name));
    wanted
        .filter(|one| match missing(one) {
            Some(missing) => {
                let ci =
                    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
                assert!(!ci, "can't run: {missing}");
                println!("SKIPPED {missing}");
                false
            }
            None => true,
        })
        .collect()
}

fn play(options: &Options) {
    let receivers = present();
    let folder = Folder::create("differential").unwrap();
    // Images that are moved go to the first receiver.
    let mut started = receivers.clone();
    if !started.iter().any(|one| one.name == ALL[0].name) && missing(&ALL[0]).is_none() {
        started.push(ALL[0].clone());
    }
    let site = Site::start(&started, &folder.path).unwrap();
    let done = run::run(&site, &receivers, options).unwrap_or_else(|error| {
        let log = error.to_string();
        let log = fs::read_to_string(folder.path.join(format!("{log}.log"))).unwrap_or_default();
        let end = log.len().saturating_sub(2_000);
        panic!("{error:#}\n{}", log.get(end..).unwrap_or_default());
    });
    let report = run::report(&done, &receivers);
    println!("seed {}\n{report}", options.seed);
    if let Ok(folder) = env::var("WARDTAP_DIFFERENTIAL_KEEP") {
        run::keep(&done, Path::new(&folder)).unwrap();
    }
    if let Ok(path) = env::var("WARDTAP_DIFFERENTIAL_REPORT") {
        fs::write(path, &report).unwrap();
    }
    let wrong: u64 = done.values().map(|one| one.wrong).sum();
    let all: u64 = done.values().map(|one| one.exchanges).sum();
    assert!(
        wrong == 0,
        "{wrong} of {all} exchanges are not as the receiver says, seed {}:\n{report}",
        options.seed
    );
    let answered: u64 = done.values().map(|one| one.answered).sum();
    assert!(
        answered > all / 4,
        "receivers answered {answered} of {all} exchanges only"
    );
}

#[test]
fn the_sensor_says_what_receivers_did() {
    if !ability::privileged() {
        return;
    }
    play(&Options {
        seed: setting("SEED").unwrap_or(SEED),
        count: FEW,
        only: None,
        time: Duration::from_secs(45),
        shrink: false,
    });
}

#[test]
#[ignore = "long: cargo xtask differential"]
fn many_exchanges() {
    play(&Options {
        seed: setting("SEED").unwrap_or(SEED),
        count: setting("COUNT").unwrap_or(100_000),
        only: setting("ONLY"),
        time: Duration::from_secs(60 * setting("MINUTES").unwrap_or(30)),
        shrink: setting("SHRINK").unwrap_or(true),
    });
}

#[test]
fn disagreements_that_were_found_stay_fixed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/cases");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("receiver "))
            .unwrap();
        let receiver = ALL.iter().find(|one| one.name == name).unwrap();
        let exchange = exchange::Exchange::parse(&text);
        let odd = text.lines().find_map(|line| line.strip_prefix("odd: "));
        let odd: Vec<_> = odd.unwrap_or_default().split(", ").collect();
        for finding in judge::judge(&exchange, receiver) {
            if let Some(reason) = known::reason(&finding.class, &odd) {
                println!("{}: {}: {reason}", path.display(), finding.class);
                continue;
            }
            wrong.push(format!(
                "{}: {}: {}",
                path.display(),
                finding.class,
                finding.detail
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
