//! The Debian package in a clean Debian, with systemd: install, use, upgrade under traffic, remove, purge.
//!
//! `cargo xtask dist --check` makes the package and what this needs, and runs it.

mod site;

use std::{collections::BTreeSet, fs, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use site::Site;
use tests::{
    ability::privileged,
    rights::{self, CAP_BPF},
    wait::wait_for,
};

const LIMIT: Duration = Duration::from_mins(1);
/// Configuration, in the path: programs and rules stay while no daemon runs.
const CONFIG: &str = "[[interface]]\nname = \"span0\"\nrole = \"inline\"\n";
const HERE: &str = "/etc/wardtap/wardtap.toml";

#[test]
#[ignore = "cargo xtask dist --check makes the package and runs this"]
fn installs_runs_upgrades_and_leaves_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut site = Site::start()?;
    let before = files(&site)?;
    let rules = install(&site).and_then(|()| start(&mut site));
    let rules = rules.context("install")?;
    rights_left(&site).context("rights")?;
    reload(&site).context("reload")?;
    dies(&mut site).context("watchdog and kill")?;
    upgrade(&mut site).context("upgrade")?;
    ensure!(site.rules()? == rules, "the rules are not what they were");
    remove(&site).context("remove")?;
    purge(&site, &before).context("purge")
}

/// A fresh package names no interface: it waits for one, and says so.
fn install(site: &Site) -> Result<()> {
    let said = site.apt(&["install", "/srv/wardtap.deb"])?;
    ensure!(said.contains("systemctl enable --now wardtap"), "{said}");
    let enabled = site.systemctl(&["is-enabled", "wardtap"]);
    ensure!(
        enabled.is_err(),
        "enabled without an interface: {enabled:?}"
    );
    site.sh("wardtap config check && wardtap doctor --interface span0")?;
    site.sh("test -s /usr/share/doc/wardtap/copyright && zcat /usr/share/man/man1/wardtap.1.gz | grep -q '^.TH wardtap'")?;
    site.sh("! find / -xdev -name '*wardtap*' -nouser | grep .")?;
    // What is installed is what was packed.
    let changed = site.sh("dpkg --verify wardtap")?;
    ensure!(changed.is_empty(), "{changed}");
    // Started all the same, it says what is missing.
    let started = site.systemctl(&["start", "wardtap"]);
    ensure!(started.is_err(), "it runs on no interface");
    let log = site.log()?;
    ensure!(log.contains("interface"), "{log}");
    site.systemctl(&["stop", "wardtap"])?;
    Ok(())
}

/// With an interface it runs, sees all that comes and keeps a rule; the rules.
fn start(site: &mut Site) -> Result<Value> {
    // A system call that the service's filter does not let through shall not fail unseen.
    site.override_unit("filter", "SystemCallErrorNumber=kill")?;
    let default = site.machine.read(HERE)?;
    fs::write(site.machine.path(HERE), format!("{CONFIG}{default}"))?;
    site.systemctl(&["enable", "--now", "wardtap"])?;
    let told = site.property("StatusText")?;
    ensure!(told == "listening on span0", "{told:?}");
    let status = site.status()?;
    ensure!(
        status["model"]["model"]["name"].is_string(),
        "no model: {:#}",
        status["model"]
    );
    site.send(500)?;
    site.all_seen()?;
    let add = "wardtap rules add --device 10.9.9.9 --reason 'a test' --ttl 1h";
    site.sh(add)?;
    // Who is in the group may use the socket, others may not.
    site.sh(
        "adduser --quiet --system --ingroup wardtap operator && adduser --quiet --system guest",
    )?;
    site.sh("runuser -u operator -- wardtap status")?;
    let refused = site.sh("runuser -u guest -- wardtap status");
    ensure!(refused.is_err(), "anyone may use the socket");
    site.sh("deluser --quiet --system operator && deluser --quiet --system guest")?;
    site.rules()
}

/// No thread can do more than read and write maps, and all of them stay below the service's fences.
fn rights_left(site: &Site) -> Result<()> {
    let threads = rights::threads(site.process()?)?;
    for thread in &threads {
        let allowed = match thread.name.as_str() {
            "capture" | "response" => CAP_BPF,
            _ => 0,
        };
        ensure!(
            thread.capabilities & !allowed == 0 && thread.user != 0,
            "{thread:?} can do more than it has to"
        );
        ensure!(thread.no_new_privileges && thread.filtered, "{thread:?}");
    }
    let fenced = site.sh("systemd-analyze --no-pager security wardtap.service | tail -1")?;
    println!("{}", fenced.trim());
    let wrong = site.sh("systemd-analyze verify --man=no wardtap.service")?;
    ensure!(wrong.is_empty(), "{wrong}");
    Ok(())
}

/// A good configuration is taken over; with a bad one the old stays in force, and who asked is told.
fn reload(site: &Site) -> Result<()> {
    let process = site.process()?;
    site.systemctl(&["reload", "wardtap"])?;
    wait_for("the reload", LIMIT, || {
        site.log().ok()?.contains("reloaded").then_some(())
    })?;
    let good = site.machine.read(HERE)?;
    fs::write(site.machine.path(HERE), format!("nonsense = 1\n{good}"))?;
    let told = site.systemctl(&["reload", "wardtap"]);
    fs::write(site.machine.path(HERE), good)?;
    ensure!(told.is_err(), "a bad configuration is reloaded");
    ensure!(
        site.log()?.contains("nonsense"),
        "the log does not say which key is wrong"
    );
    ensure!(site.process()? == process, "another daemon");
    Ok(())
}

/// A daemon that hangs and one that is killed are started anew; what came meanwhile is counted.
fn dies(site: &mut Site) -> Result<()> {
    site.override_unit("soon", "WatchdogSec=3s\nTimeoutAbortSec=1s")?;
    site.systemctl(&["restart", "wardtap"])?;
    for signal in ["STOP", "KILL"] {
        let process = site.process()?;
        site.send(100)?;
        site.systemctl(&[
            "kill",
            "--kill-who=main",
            &format!("--signal={signal}"),
            "wardtap",
        ])?;
        site.send(100)?;
        wait_for("another daemon", LIMIT, || {
            let active = site.property("ActiveState").ok()? == "active";
            (active && site.process().ok()? != process).then_some(())
        })
        .with_context(|| signal.to_owned())?;
        site.all_seen().with_context(|| signal.to_owned())?;
    }
    ensure!(site.property("NRestarts")? == "2", "{}", site.log()?);
    site.sh("rm /run/systemd/system/wardtap.service.d/soon.conf && systemctl daemon-reload")?;
    Ok(())
}

/// The next version takes over while frames come: each is counted once.
fn upgrade(site: &mut Site) -> Result<()> {
    let process = site.process()?;
    let next = site.next_version()?;
    site.during_traffic(|site| {
        let said = site.apt(&["install", "/srv/next.deb"])?;
        ensure!(!said.contains("not running"), "{said}");
        Ok(())
    })?;
    ensure!(site.process()? != process, "the old daemon goes on");
    let version = site.sh("dpkg-query --show --showformat '${Version}' wardtap")?;
    ensure!(version.trim() == next, "{version}");
    site.all_seen()?;
    // What a person stopped stays stopped.
    site.systemctl(&["stop", "wardtap"])?;
    let said = site.apt(&["install", "--reinstall", "/srv/next.deb"])?;
    ensure!(said.contains("systemctl start wardtap"), "{said}");
    site.systemctl(&["start", "wardtap"])?;
    Ok(())
}

/// The service ends, its programs leave the interface; configuration and state stay.
fn remove(site: &Site) -> Result<()> {
    ensure!(site.has_program()?, "no program on the interface");
    site.apt(&["remove", "wardtap"])?;
    ensure!(!site.has_program()?, "a program stays on the interface");
    let left = site.sh("find /sys/fs/bpf -mindepth 1 ! -name '*.debug'")?;
    ensure!(left.is_empty(), "pins are left: {left}");
    ensure!(site.processes().is_empty(), "the daemon goes on");
    site.sh(&format!(
        "test -s {HERE} && test -s /var/lib/wardtap/audit.jsonl"
    ))?;
    Ok(())
}

/// The evidence goes only if that was asked for; nothing else is left.
fn purge(site: &Site, before: &BTreeSet<String>) -> Result<()> {
    let said = site.apt(&["purge", "wardtap"])?;
    ensure!(said.contains("KEPT /var/lib/wardtap"), "{said}");
    site.sh(
        "test -s /var/lib/wardtap/audit.jsonl && getent passwd wardtap && test ! -e /etc/wardtap",
    )?;
    site.apt(&["install", "/srv/wardtap.deb"])?;
    site.sh("wardtap audit verify /var/lib/wardtap/audit.jsonl")?;
    site.sh("touch /var/lib/wardtap/PURGE")?;
    site.apt(&["purge", "wardtap"])?;
    site.sh("rm -r /run/systemd/system/wardtap.service.d")?;
    let left: Vec<_> = files(site)?.difference(before).cloned().collect();
    ensure!(left.is_empty(), "left: {left:#?}");
    let account = site.sh("getent passwd wardtap || getent group wardtap || true")?;
    ensure!(account.is_empty(), "{account}");
    Ok(())
}

/// All files of the machine, but the package manager's own and logs.
fn files(site: &Site) -> Result<BTreeSet<String>> {
    let own = [
        "/var/lib/dpkg/",
        "/var/lib/apt/",
        "/var/cache/",
        "/var/log/",
        "/tmp/",
        "/var/tmp/",
        "/srv/",
    ];
    let found = site.sh("find / -xdev; find /run /sys/fs/bpf -name '*wardtap*'")?;
    let lines = found
        .lines()
        .filter(|path| !own.iter().any(|own| path.starts_with(own)));
    Ok(lines.map(str::to_owned).collect())
}

/// The number of a package's next version, whose archive is made at `to`.
fn repack(
    package: &std::path::Path,
    to: &std::path::Path,
    work: &std::path::Path,
) -> Result<String> {
    let script = "dpkg-deb --raw-extract \"$1\" \"$3\" && \
        sed -i 's/^Version: .*/&+1/' \"$3/DEBIAN/control\" && \
        dpkg-deb --root-owner-group -Znone --build \"$3\" \"$2\" >/dev/null && \
        dpkg-deb --field \"$2\" Version";
    let output = Command::new("sh")
        .args(["-euc", script, "sh"])
        .args([package, to, work])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
