//! What the daemon keeps of its rights once it listens, as root and as another user, and that it needs no more.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::Signal,
    unistd::{Uid, User, chown},
};
use tests::{
    ability::{self, privileged},
    folder::Folder,
    models,
    reading::{number, packets},
    rights::{CAP_BPF, CAP_NET_RAW, FILES, Thread, threads},
    site::{SECONDS, Site},
    wait::wait_for,
};

/// What the service has: user and capabilities as in `packaging/systemd/wardtap.service`.
const SERVICE: &[&str] = &[
    "setpriv",
    "--reuid=nobody",
    "--regid=nogroup",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all,+bpf,+net_admin,+perfmon,+net_raw",
    "--inh-caps=-all,+bpf,+net_admin,+perfmon,+net_raw",
    "--ambient-caps=-all,+bpf,+net_admin,+perfmon,+net_raw",
];

/// Capabilities of each thread that lives for long.
fn check(threads: &[Thread], to_act: u64, files: u64) -> Result<()> {
    for thread in threads {
        let allowed = match thread.name.as_str() {
            // A command can begin resets, for which it opens a socket.
            "capture" | "command" | "response" => to_act | files,
            _ => files,
        };
        ensure!(
            thread.capabilities & !allowed == 0,
            "{} has {:#x} of {allowed:#x}",
            thread.name,
            thread.capabilities
        );
    }
    let mut names = BTreeMap::new();
    for thread in threads {
        *names.entry(thread.name.as_str()).or_insert(0) += 1;
    }
    ensure!(
        ["capture", "command", "response", "score", "output", "trail"]
            .iter()
            .all(|name| names.contains_key(name)),
        "{names:?}"
    );
    Ok(())
}

/// The same of a daemon that may be about to give them up still.
fn keeps(site: &Site, to_act: u64, files: u64) -> Result<Vec<Thread>> {
    let process = process(site)?;
    let mut last = Ok(());
    wait_for("the daemon to give up its rights", SECONDS, || {
        let threads = threads(process).ok()?;
        last = check(&threads, to_act, files);
        last.is_ok().then_some(threads)
    })
    .with_context(|| format!("{last:?}"))
}

fn process(site: &Site) -> Result<u32> {
    let id = fs::read_to_string(site.folder.path.join("control.sock.lock"))?;
    Ok(id.trim().parse()?)
}

/// Counts, takes rules, reloads, and ends: all that comes after the start.
fn works(site: &mut Site) -> Result<()> {
    site.send(20)?;
    site.status_when("20 packets", |status| packets(status) == 20)?;
    let add = site.cli(&[
        "rules", "add", "--device", "10.0.0.9", "--reason", "a test", "--ttl", "1h",
    ])?;
    ensure!(add.status.success(), "{add:?}");
    site.signal(Signal::SIGHUP)?;
    wait_for("the reload", SECONDS, || {
        site.daemon.log().contains("reloaded").then_some(())
    })?;
    let lift = site.cli(&["rules", "release-all", "--reason", "a test"])?;
    ensure!(lift.status.success(), "{lift:?}");
    site.send(20)?;
    let status = site.status_when("40 packets", |status| packets(status) == 40)?;
    ensure!(number(&status, "/model/flows/failed") == 0, "{status:#}");
    let ended = site.daemon.stop()?;
    ensure!(ended.success(), "{ended}: {}", site.daemon.log());
    for problem in [
        "keeps rights",
        "refused",
        "Permission denied",
        "Operation not permitted",
    ] {
        ensure!(
            !site.daemon.log().contains(problem),
            "{}",
            site.daemon.log()
        );
    }
    Ok(())
}

fn model() -> String {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/flow-v1.onnx");
    format!(
        "[model]\npath = \"{}\"\nruntime = \"{}\"\n",
        model.display(),
        models::runtime().display()
    )
}

#[test]
fn root_keeps_files_and_maps() -> Result<()> {
    if !privileged() || !ability::models(false) {
        return Ok(());
    }
    let mut site = Site::start("rights-root", &model())?;
    keeps(&site, CAP_BPF, FILES)?;
    works(&mut site)
}

#[test]
fn resets_take_the_right_to_send() -> Result<()> {
    if !privileged() || !ability::models(false) {
        return Ok(());
    }
    let more = format!("{}[response]\ninterface = \"lo\"\n", model());
    let mut site = Site::start("rights-reset", &more)?;
    keeps(&site, CAP_BPF | CAP_NET_RAW, FILES)?;
    works(&mut site)
}

#[test]
fn a_service_keeps_maps_alone() -> Result<()> {
    if !privileged() || !ability::models(false) {
        return Ok(());
    }
    let nobody = User::from_name("nobody")?.context("no user nobody")?;
    let folder = Folder::create("rights-service")?;
    chown(&folder.path, Some(nobody.uid), Some(nobody.gid))?;
    // The service's pins: a folder that root makes for it.
    let pins = Pins::create(nobody.uid)?;
    // What it would write at home must not be there.
    let home = format!("HOME={}", folder.path.display());
    let launcher = [SERVICE, &["env", &home]].concat();
    let mut site = Site::start_by(&launcher, "rights-service", folder, &model(), &pins.0)?;
    let threads = keeps(&site, CAP_BPF, 0)?;
    ensure!(
        threads
            .iter()
            .all(|thread| thread.user == nobody.uid.as_raw() && thread.no_new_privileges)
    );
    ensure!(
        !site.folder.path.join(".cache").exists(),
        "the runtime reports its use"
    );
    works(&mut site)
}

/// A folder on the BPF file system.
struct Pins(PathBuf);

impl Pins {
    fn create(owner: Uid) -> Result<Self> {
        let path = PathBuf::from(format!("/sys/fs/bpf/wt-rights-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        chown(&path, Some(owner), None)?;
        Ok(Self(path))
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
