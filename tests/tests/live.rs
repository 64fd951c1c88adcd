//! The short form of the live evaluation: real attack tools, and alerts that name the device that ran them.

use std::{fs, path::Path, time::Duration};

use anyhow::{Result, ensure};
use tests::{
    ability,
    folder::Folder,
    live::{self, Options, judge::Verdict, page, table},
    sensor::binary,
};

/// These are found on the slowest machine too: they rest on what is done, not on how fast.
const SURE: [&str; 6] = [
    "nmap-syn",
    "echoscu-guess",
    "getscu-14",
    "movescu-stranger",
    "hl7-merge-as-engine",
    "ssh-six",
];

#[test]
fn real_tools_are_found_and_the_right_device_is_named() -> Result<()> {
    let mut attacks = table::attacks()?;
    attacks.retain(|attack| attack.short);
    let programs = attacks.iter().map(|attack| attack.program);
    if !ability::hospital() || !ability::programs(programs.chain(["dumpcap", "sshd"])) {
        return Ok(());
    }
    let folder = Folder::create("live")?;
    let report = live::run(&Options {
        prefix: "wardtap-livetest",
        folder: &folder.path,
        daemon: binary()?,
        tools: None,
        attacks,
        lanes: 1,
        learning: Duration::from_secs(40),
        quiet: Duration::from_secs(15),
        settle: Duration::from_secs(45),
        check: &|| Ok(()),
    })?;
    println!("{}", page::markdown(&report, None));
    for id in SURE {
        let one = report.judged.iter().find(|one| one.deed.attack.id == id);
        let found = one.is_some_and(|one| one.verdict == Verdict::Found);
        ensure!(found, "{id} was not found: {one:?}");
    }
    ensure!(report.missing.is_empty(), "{:?}", report.missing);
    files_are_complete(&folder.path, report.judged.len())
}

/// The capture and its truth are what others measure themselves with.
fn files_are_complete(folder: &Path, attacks: usize) -> Result<()> {
    let truth = fs::read_to_string(folder.join("truth.csv"))?;
    ensure!(truth.lines().count() == attacks + 1, "{truth}");
    // The block type of a section header (draft-ietf-opsawg-pcapng).
    let capture = fs::read(folder.join("mirror.pcapng"))?;
    ensure!(capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]), "no pcapng");
    ensure!(capture.len() > 1_000_000, "{} bytes", capture.len());
    Ok(())
}
