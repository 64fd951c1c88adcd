//! A machine with one interface, the frames that come in there, and what an administrator does with the package.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use serde_json::Value;
use tests::{
    machine::{self, Machine},
    netns::Namespace,
    wait::wait_for,
    wire::Wire,
};

use crate::{LIMIT, repack};

/// The systemd unit of the daemon.
const SERVICE: &str = "wardtap.service";

pub(crate) struct Site {
    // Dropped in this order.
    pub(crate) machine: Machine,
    network: Namespace,
    _sender: Namespace,
    traffic: Mutex<Traffic>,
    folder: Folder,
}

/// Frames, each of a flow of its own, and how many were sent.
struct Traffic {
    wire: Wire,
    sent: u64,
}

impl Traffic {
    fn send(&mut self, count: u16) -> Result<()> {
        for _ in 0..count {
            let [.., high, low] = self.sent.to_be_bytes();
            let mut frame = Vec::new();
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4([10, 0, high, low], [10, 1, 0, 1], 64)
                .udp(40_000, 514)
                .write(&mut frame, b"hello")?;
            self.wire.send(&frame)?;
            self.sent += 1;
        }
        Ok(())
    }
}

impl Site {
    /// Boots the machine and lays the package in it.
    pub(crate) fn start() -> Result<Self> {
        let package = env::var_os(machine::PACKAGE)
            .map(PathBuf::from)
            .with_context(|| format!("{} does not name the package", machine::PACKAGE))?;
        let name = format!("wt-package-{}", std::process::id());
        // On a disk: the temporary folder may be memory.
        let folder = Folder(machine::image().with_file_name(&name));
        let network = Namespace::create(&format!("{name}-s"))?;
        let sender = Namespace::create(&format!("{name}-x"))?;
        network.cable("span0", &sender, "out0")?;
        let machine = Machine::boot(&network, &folder.0)?;
        fs::copy(&package, machine.path("/srv/wardtap.deb"))?;
        let traffic = Mutex::new(Traffic {
            wire: Wire::open(&sender, "out0")?,
            sent: 0,
        });
        Ok(Self {
            machine,
            network,
            _sender: sender,
            traffic,
            folder,
        })
    }

    pub(crate) fn sh(&self, line: &str) -> Result<String> {
        self.machine.sh(line)
    }

    /// apt without a network: the package needs nothing that a Debian with systemd has not.
    pub(crate) fn apt(&self, arguments: &[&str]) -> Result<String> {
        self.sh(&format!(
            "apt-get -qq -y --no-install-recommends {}",
            arguments.join(" ")
        ))
    }

    pub(crate) fn systemctl(&self, arguments: &[&str]) -> Result<String> {
        self.sh(&format!("systemctl {}", arguments.join(" ")))
    }

    /// Settings of the service beside its unit's, until the machine ends.
    pub(crate) fn override_unit(&self, name: &str, settings: &str) -> Result<()> {
        let folder = "/run/systemd/system/wardtap.service.d";
        self.sh(&format!(
            "mkdir -p {folder} && printf '[Service]\\n%s\\n' '{settings}' >{folder}/{name}.conf && systemctl daemon-reload"
        ))?;
        Ok(())
    }

    /// A property of the service.
    pub(crate) fn property(&self, name: &str) -> Result<String> {
        let value = self.systemctl(&["show", "--value", "--property", name, SERVICE])?;
        Ok(value.trim().to_owned())
    }

    pub(crate) fn log(&self) -> Result<String> {
        self.sh("journalctl --no-pager --unit wardtap")
    }

    pub(crate) fn processes(&self) -> Vec<u32> {
        self.machine.processes(SERVICE).unwrap_or_default()
    }

    /// The process id of the daemon.
    pub(crate) fn process(&self) -> Result<u32> {
        self.processes().first().copied().context("no daemon runs")
    }

    pub(crate) fn json(&self, arguments: &str) -> Result<Value> {
        let text = self.sh(&format!("wardtap {arguments} --json"))?;
        serde_json::from_str(&text).with_context(|| format!("{arguments}: {text}"))
    }

    pub(crate) fn status(&self) -> Result<Value> {
        self.json("status")
    }

    /// Target and state of each rule.
    pub(crate) fn rules(&self) -> Result<Value> {
        let list = self.json("rules list")?;
        let rules = list["items"]
            .as_array()
            .with_context(|| format!("{list:#}"))?;
        ensure!(!rules.is_empty(), "no rules");
        let told = rules
            .iter()
            .map(|rule| serde_json::json!([rule["id"], rule["target"], rule["state"]]));
        Ok(told.collect())
    }

    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn send(&self, count: u16) -> Result<()> {
        self.traffic().send(count)
    }

    /// Does something while frames come without a pause.
    pub(crate) fn during_traffic(&self, what: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    self.send(10)?;
                    thread::sleep(Duration::from_millis(2));
                }
                Ok(())
            });
            let done = what(self);
            stop.store(true, Ordering::Relaxed);
            let sent: Result<()> = sender.join().ok().context("the sender panicked")?;
            done.and(sent)
        })
    }

    /// Waits until the daemon has counted each frame, once.
    pub(crate) fn all_seen(&self) -> Result<()> {
        let sent = self.traffic().sent;
        let mut last = 0;
        wait_for("all frames to be counted", LIMIT, || {
            last = packets(&self.status().ok()?);
            (last >= sent).then_some(())
        })
        .with_context(|| format!("{sent} were sent, {last} counted"))?;
        ensure!(last == sent, "{sent} were sent, {last} counted");
        Ok(())
    }

    /// Whether a program is attached to the interface.
    pub(crate) fn has_program(&self) -> Result<bool> {
        Ok(self.network.ip(&["link", "show", "span0"])?.contains("xdp"))
    }

    /// Packs the next version; its number.
    pub(crate) fn next_version(&self) -> Result<String> {
        let from = self.machine.path("/srv/wardtap.deb");
        repack(
            &from,
            &self.machine.path("/srv/next.deb"),
            &self.folder.0.join("next"),
        )
    }
}

/// The machine's files, gone when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Frames that the daemon has seen.
pub(crate) fn packets(status: &Value) -> u64 {
    status["interfaces"][0]["counters"]["packets"]
        .as_u64()
        .unwrap_or_default()
}
