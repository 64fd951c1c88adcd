//! What leaves under pseudonyms holds nothing of the originals, by any command that offers it; and it is the same each
//! time, also after a restart.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "traffic/dicom.rs"]
mod dicom;

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail, ensure};
use etherparse::PacketBuilder;
use tests::{
    ability::privileged,
    reading::number,
    site::{SCANS_ALERT, SECONDS, Site},
    wait::wait_for,
};

/// Each command that has `--pseudonymise`, as it is asked; `ID` is an alert's number, `FILE` a file that it writes.
const COMMANDS: [&str; 23] = [
    "advisories list",
    "advisories match",
    "alerts cases",
    "alerts list",
    "alerts show ID",
    "audit export --output FILE",
    "audit show",
    "devices ae-titles",
    "devices hl7-senders",
    "devices list",
    "devices show 10.0.0.1",
    "exceptions list",
    "exposure list",
    "exposure show 10.0.0.1",
    "flows list",
    "incidents list",
    "incidents show ID",
    "protect list",
    "report compliance --format json",
    "report incident ID --format json",
    "rules list",
    "search LAB",
    "sessions list",
];
/// A low alert opens an incident too.
const LOW_OPENS: &str = "[incident]\nseverity = \"low\"\n";
/// Commands that give pseudonyms unless addresses are asked for.
const EXPORTS: [&str; 2] = ["export features", "alerts cases --csv"];

/// What a host calls itself when it asks for an address.
const HOST: &str = "icu-pump-7";

/// What none of them may hold: addresses as text and in hexadecimal digits, HL7 applications and facilities, DICOM
/// application entities, the name of a host, the person and what a person said.
const ORIGINALS: [&str; 20] = [
    HOST,
    "CT_ROOM_1",
    "ARCHIVE",
    "10.0.0.",
    "0a0000",
    "0x0a00",
    "167772",
    "02:00:00:00:00",
    "020000000",
    "LAB\"",
    "LAB\\",
    "WARD\"",
    "WARD\\",
    "EHR\"",
    "EHR\\",
    "SITE\"",
    "SITE\\",
    "Meier",
    "\"root\"",
    "bed 4",
];

#[test]
fn nothing_of_the_originals_leaves_under_pseudonyms() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start("pseudonym", &format!("{SCANS_ALERT}{LOW_OPENS}"))?;
    every_command_is_listed(&site)?;
    site.send(20)?;
    introduce(&mut site)?;
    site.scan(40)?;
    let id = wait_for("an alert", SECONDS, || {
        let alerts = site.json(&["alerts", "list"]).ok()?;
        (number(&alerts, "/total") > 0).then(|| number(&alerts, "/items/0/id"))
    })?;
    let id = id.to_string();
    said(
        &site,
        &[
            "protect",
            "add",
            "--device",
            "10.0.0.2",
            "--reason",
            "pump of Mrs Meier, bed 4",
        ],
    )?;
    let rule = [
        "rules",
        "add",
        "--device",
        "10.0.0.3",
        "--ttl",
        "1h",
        "--dry-run",
    ];
    said(
        &site,
        &[&rule[..], &["--reason", "asked by Meier"]].concat(),
    )?;
    said(
        &site,
        &[
            "alerts",
            "label",
            &id,
            "malicious",
            "--reason",
            "Meier saw it",
        ],
    )?;

    let clear = said(&site, &["alerts", "show", &id, "--json"])?;
    ensure!(
        clear.contains("10.0.0.3") && clear.contains("Meier"),
        "nothing to hide: {clear}"
    );
    for (host, name) in [
        ("10.0.0.1", HOST),
        ("10.0.0.1", "CT_ROOM_1"),
        ("10.0.0.2", "ARCHIVE"),
    ] {
        let mut device = String::new();
        wait_for(name, 2 * SECONDS, || {
            device = said(&site, &["devices", "show", host, "--json"]).ok()?;
            device.contains(name).then_some(())
        })
        .with_context(|| format!("{host} is {device}"))?;
    }
    wait_for("those who sent", 2 * SECONDS, || {
        addresses(&site).ok().filter(|found| found.len() >= 2)
    })?;
    let first = all(&site, &id)?;

    site.restart()?;
    let second = all(&site, &id)?;
    ensure!(first == second, "{first:?} and {second:?}");

    // Without the key nothing is answered, least of all in clear text.
    fs::write(site.folder.path.join("state/site.key"), "short")?;
    let output = site.cli(&["alerts", "list", "--pseudonymise"])?;
    ensure!(
        output.status.code() == Some(1) && output.stdout.is_empty(),
        "{output:?}"
    );
    ensure!(
        String::from_utf8_lossy(&output.stderr).contains("no site key"),
        "{output:?}"
    );
    Ok(())
}

/// Has the host that sends say its name, and be a DICOM application entity that asks another.
fn introduce(site: &mut Site) -> Result<()> {
    let (host, server) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    // RFC 2131 section 2: a request, of Ethernet, by the address that it has; the name is option 12 (RFC 2132 section 3.14).
    let mut dhcp = vec![1, 1, 6, 0, 0, 0, 0, 7, 0, 0, 0, 0, 10, 0, 0, 1];
    dhcp.extend([0; 12]);
    dhcp.extend(host);
    dhcp.resize(236, 0);
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 3, 12]);
    dhcp.push(u8::try_from(HOST.len())?);
    dhcp.extend(HOST.bytes());
    dhcp.push(255);
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(host, server)
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .udp(68, 67)
        .write(&mut frame, &dhcp)?;
    site.frame(&frame)?;
    let mut asked = Vec::new();
    PacketBuilder::ethernet2(host, server)
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(40_001, 104, 1, 1_000)
        .ack(1)
        .write(&mut asked, &dicom::request("", ""))?;
    site.frame(&asked)?;
    let mut answered = Vec::new();
    PacketBuilder::ethernet2(server, host)
        .ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64)
        .tcp(104, 40_001, 1, 1_000)
        .ack(1)
        .write(&mut answered, &dicom::acceptance())?;
    site.frame(&answered)
}

/// Asks by all commands; the pseudonym of the suspect in what is the same each time.
fn all(site: &Site, id: &str) -> Result<String> {
    let file = site.folder.path.join("bundle");
    let path = file.to_str().context("a path")?;
    for command in COMMANDS {
        let words = command.replace("ID", id);
        let words: Vec<&str> = words
            .split(' ')
            .map(|word| if word == "FILE" { path } else { word })
            .chain(["--pseudonymise"])
            .collect();
        clean(command, &said(site, &words)?)?;
        if !command.contains(" --") {
            clean(command, &said(site, &[&words[..], &["--json"]].concat())?)?;
        }
    }
    for command in EXPORTS {
        let words: Vec<&str> = command.split(' ').collect();
        clean(command, &said(site, &words)?)?;
    }
    clean("the bundle", &fs::read_to_string(&file)?)?;
    let verified = said(site, &["audit", "verify", path])?;
    ensure!(verified.contains("under pseudonyms"), "{verified}");
    let alert = site.json(&["alerts", "show", id, "--pseudonymise"])?;
    let device = alert["device"].as_str().context("a device")?;
    let text = said(site, &["export", "features"])?;
    ensure!(text.contains(&format!(",{device},")), "{device} in {text}");
    let trail = site
        .json(&["audit", "show", "--last", "200", "--pseudonymise"])?
        .to_string();
    ensure!(trail.contains("\"exported\""), "{trail}");
    ensure!(trail.contains("the answer of /v1/exposure"), "{trail}");
    ensure!(
        trail.contains(&format!("\"address\":\"{device}\"")),
        "{device} in {trail}"
    );
    Ok(device.to_owned())
}

fn addresses(site: &Site) -> Result<BTreeSet<String>> {
    let devices = site.json(&["devices", "list", "--pseudonymise"])?;
    let items = devices["items"].as_array().context("no list")?.iter();
    Ok(items.map(|device| device["address"].to_string()).collect())
}

fn clean(command: &str, text: &str) -> Result<()> {
    ensure!(!text.is_empty(), "{command} says nothing");
    for original in ORIGINALS {
        ensure!(
            !text.contains(original),
            "{original:?} in {command}:\n{text}"
        );
    }
    Ok(())
}

fn said(site: &Site, arguments: &[&str]) -> Result<String> {
    let output = site.cli(arguments)?;
    // Of a device without a weakness there is nothing to show; what is said of that is looked at as well.
    let may_fail = arguments.starts_with(&["exposure", "show"]);
    ensure!(
        output.status.success() || may_fail,
        "{arguments:?}: {output:?}"
    );
    Ok(String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?)
}

/// A command that offers pseudonyms, or an export, and that nobody looks at here, fails.
fn every_command_is_listed(site: &Site) -> Result<()> {
    let mut found = BTreeSet::new();
    look(site, &mut Vec::new(), &mut found)?;
    let plain = |command: &&str| {
        let words = if command.starts_with("search") { 1 } else { 2 };
        command.split(' ').take(words).collect::<Vec<_>>().join(" ")
    };
    let listed: BTreeSet<String> = COMMANDS.iter().chain(&EXPORTS[..1]).map(plain).collect();
    ensure!(found == listed, "offered: {found:?}\nlisted: {listed:?}");
    Ok(())
}

fn look(site: &Site, path: &mut Vec<String>, found: &mut BTreeSet<String>) -> Result<()> {
    let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = said(site, &arguments)?;
    if help.contains("--pseudonymise") && help.contains("Options:") && !help.contains("Commands:")
        || path.len() == 2 && path[0] == "export"
    {
        found.insert(path.join(" "));
    }
    if path.len() > 3 {
        bail!("commands below {path:?}");
    }
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names: Vec<String> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    for name in names {
        path.push(name);
        look(site, path, found)?;
        path.pop();
    }
    Ok(())
}
