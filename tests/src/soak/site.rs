//! The daemon at the hospital's mirror and at a second interface, which floods come in by, and what it says of itself.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use super::{
    account::outputs,
    disk::Disk,
    memory::{self, Group, Memory},
    options::Options,
    siem::{ADDRESS, Siem},
    spray::{OUT, Spray},
};
use crate::{
    hl7,
    hospital::{Hospital, MIRROR},
    metrics::Metrics,
    models,
    netns::{Namespace, run},
    program::Program,
    wait::wait_for,
};

/// The sensor's end of the flooder's cable.
pub(super) const SPAN: &str = "span0";
const METRICS: &str = "127.0.0.1:9641";
/// Time that the daemon has to start, and to answer.
const LIMIT: Duration = Duration::from_secs(30);
/// Time until a stopped daemon has written everything.
const END: Duration = Duration::from_mins(1);
/// Daemon, disk, receiver and flooder.
pub(super) struct Site<'a> {
    // Dropped in this order: what uses something goes before it.
    pub(super) daemon: Program,
    pub(super) spray: Spray,
    pub(super) group: Group,
    pub(super) disk: Disk,
    pub(super) siem: Siem,
    pub(super) outside: Namespace,
    pub(super) hospital: &'a Hospital,
    pub(super) folder: PathBuf,
    binary: PathBuf,
    /// Frames that cables before this one carried and dropped.
    carried: [u64; 2],
}

impl<'a> Site<'a> {
    /// Starts the daemon.
    pub(super) fn start(hospital: &'a Hospital, options: &Options<'_>) -> Result<Self> {
        let folder = options.folder.join("sensor");
        fs::create_dir_all(&folder)?;
        let disk = Disk::create(&folder)?;
        let outside = Namespace::create(&format!("{}-outside", options.prefix))?;
        cable(hospital, &outside)?;
        let siem = Siem::start(hospital.sensor())?;
        let group = Group::create(options.prefix)?;
        fs::write(folder.join("clock"), 0_i64.to_ne_bytes())?;
        let clock = fake_clock(&folder)?;
        let config = folder.join("wardtap.toml");
        fs::write(&config, configuration(&folder, &disk.path, options.prefix)?)?;
        // A run that was killed may have left programs and flows, which this daemon would take over.
        unload(options.daemon, &config)?;
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(group.processes())
            .args([
                "nsenter",
                &format!("--net=/run/netns/{}", hospital.sensor().name()),
            ])
            .args(["env", &format!("LD_PRELOAD={}", clock.display())])
            .arg(options.daemon)
            .args(["run", "--config"])
            .arg(&config)
            .env("WARDTAP_CLOCK", folder.join("clock"));
        let mut daemon = Program::start("wardtap", command, &folder)?;
        daemon.wait_until("the daemon to listen", LIMIT, |log| {
            (log.matches("listening").count() >= 2).then_some(())
        })?;
        let site = Self {
            daemon,
            spray: Spray::open(&outside)?,
            group,
            disk,
            siem,
            outside,
            hospital,
            binary: options.daemon.to_owned(),
            folder,
            carried: [0; 2],
        };
        // A second model beside the one that is configured, so that there is one to go back to.
        let other = models::made()?.join("other.onnx");
        let other = other.to_str().context("a path")?;
        let said = site.cli(&["model", "load", other, "--reason", "soak"])?;
        ensure!(said.status.success(), "{said:?}");
        Ok(site)
    }

    /// The file of events.
    pub(super) fn events(&self) -> PathBuf {
        self.disk.path.join("events.jsonl")
    }

    /// The configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("wardtap.toml")
    }

    /// Sets the daemon's wall clock so many seconds off, at once.
    pub(super) fn set_clock(&self, seconds: i64) -> Result<()> {
        // In place: the daemon has it mapped.
        let clock = OpenOptions::new()
            .write(true)
            .open(self.folder.join("clock"))?;
        clock.write_all_at(&(seconds * 1_000_000_000).to_ne_bytes(), 0)?;
        Ok(())
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(self.daemon.id()?, signal)?)
    }

    pub(super) fn cli(&self, arguments: &[&str]) -> Result<Output> {
        Ok(Command::new(&self.binary)
            .arg("--socket")
            .arg(self.folder.join("control.sock"))
            .args(arguments)
            .output()?)
    }

    /// The status, asked for again while the daemon is busy.
    pub(super) fn status(&self) -> Result<Value> {
        let mut last = None;
        wait_for("a status", LIMIT, || {
            let status = self.ask();
            let found = status.as_ref().ok().cloned();
            last = Some(status);
            found
        })
        .or_else(|_| last.context("it was not asked")?)
    }

    /// The status, asked for once.
    pub(super) fn ask(&self) -> Result<Value> {
        let output = self.cli(&["status", "--json"])?;
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text)
            .with_context(|| format!("status: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(super) fn memory(&self) -> Result<Memory> {
        let (rss, peak_rss) = memory::of_process(self.daemon.id()?.as_raw())?;
        let held = self.group.held()?;
        Ok(Memory {
            rss,
            peak_rss,
            held,
        })
    }

    pub(super) fn forget_peak(&self) -> Result<()> {
        memory::forget_peak(self.daemon.id()?.as_raw())
    }

    pub(super) fn metrics(&self) -> Result<Metrics> {
        Metrics::scrape(self.hospital.sensor())
    }

    /// Frames that came out of the flooder's cable, and that it dropped.
    pub(super) fn carried(&self) -> Result<[u64; 2]> {
        let [sent, dropped] = link(&self.outside, OUT)?;
        Ok([self.carried[0] + sent, self.carried[1] + dropped])
    }

    /// Takes the flooder's cable away, both interfaces with it.
    pub(super) fn cut(&mut self) -> Result<()> {
        self.carried = self.carried()?;
        self.outside.ip(&["link", "delete", OUT])?;
        Ok(())
    }

    /// Lays a new one.
    pub(super) fn mend(&mut self) -> Result<()> {
        cable(self.hospital, &self.outside)?;
        self.spray.reopen(&self.outside)
    }

    /// The events that the outputs have delivered, in words.
    pub(super) fn outputs(&self) -> Result<String> {
        let outputs = outputs(&self.status()?);
        let words: Vec<_> = outputs
            .iter()
            .map(|(name, one)| format!("{name} {}", one.delivered))
            .collect();
        Ok(words.join(", "))
    }

    /// Stops the daemon in order.
    pub(super) fn daemon_stop(&mut self) -> Result<()> {
        let id = self.daemon.id()?;
        kill(id, Signal::SIGTERM)?;
        let daemon = &mut self.daemon;
        let status = wait_for("the daemon's end", END, || daemon.ended().ok()?)?;
        ensure!(status.success(), "{status}:\n{}", self.log_tail());
        Ok(())
    }

    pub(super) fn verify_trail(&self) -> Result<String> {
        let trail = self.disk.path.join("state/audit.jsonl");
        let output = Command::new(&self.binary)
            .args(["audit", "verify"])
            .arg(&trail)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "the trail: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let lines = fs::read_to_string(&trail)?.lines().count();
        Ok(format!("the audit trail verifies, {lines} entries"))
    }

    /// `SQLite`'s own check of the store.
    pub(super) fn check_store(&self) -> Result<String> {
        let ask = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
                   print(c.execute('PRAGMA integrity_check').fetchall()[0][0])";
        let store = self.disk.path.join("state/store.sqlite");
        let said = run(Command::new(hl7::python()).args(["-c", ask]).arg(store))?;
        ensure!(said.trim() == "ok", "the store: {said}");
        Ok("the store passes SQLite's integrity_check".to_owned())
    }

    /// The end of the daemon's log.
    pub(super) fn log_tail(&self) -> String {
        let log = self.daemon.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn cable(hospital: &Hospital, outside: &Namespace) -> Result<()> {
    hospital.sensor().cable(SPAN, outside, OUT)?;
    for (namespace, name) in [(hospital.sensor(), SPAN), (outside, OUT)] {
        namespace.ip(&["link", "set", name, "arp", "off"])?;
    }
    Ok(())
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        if !matches!(self.daemon.ended(), Ok(None)) {
            return;
        }
        // It ended otherwise than it should: its programs may be pinned.
        let _ = self.daemon.kill();
        if let Err(error) = unload(&self.binary, &self.config()) {
            eprintln!("{error:#}");
        }
    }
}

fn unload(daemon: &Path, config: &Path) -> Result<()> {
    run(Command::new(daemon)
        .args(["unload", "--config"])
        .arg(config))?;
    Ok(())
}

/// Builds what gives the daemon a wall clock of its own.
fn fake_clock(folder: &Path) -> Result<PathBuf> {
    let library = folder.join("clock.so");
    run(Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(hl7::script("clock.c")))?;
    Ok(library)
}

fn configuration(folder: &Path, disk: &Path, pins: &str) -> Result<String> {
    Ok(format!(
        "[[interface]]\nname = \"{MIRROR}\"\n[[interface]]\nname = \"{SPAN}\"\n\n\
         [flow]\n# Short, so that conversations are over soon after they were closed.\nidle_closed = \"2s\"\nidle_other = \"3s\"\n\n\
         [ring]\n# Small, so that it overruns soon.\nsize = \"1MiB\"\n\n\
         [baseline]\n# A hospital of some thousand devices, as docs/operating.md reckons with; a flood makes many more.\ndevices = 10000\n\n\
         [model]\npath = \"{}\"\nruntime = \"{}\"\n\n\
         [state]\ndirectory = \"{}\"\npins = \"/sys/fs/bpf/{pins}\"\n\n\
         [store]\nmax_size = \"512MiB\"\n\n\
         [output.json]\npath = \"{}\"\nrotate_size = \"64MiB\"\nkeep = 12\n\n\
         [[output.syslog]]\nname = \"siem\"\naddress = \"{ADDRESS}\"\ntransport = \"tcp\"\nformat = \"json\"\nevents = [\"hl7\", \"dicom\", \"alert\", \"audit\"]\n\n\
         [metrics]\nlisten = \"{METRICS}\"\n\n[control]\nsocket = \"{}\"\n",
        models::made()?.join("good.onnx").display(),
        models::runtime().display(),
        disk.join("state").display(),
        disk.join("events.jsonl").display(),
        folder.join("control.sock").display(),
    ))
}

/// Frames that an interface sent, and those that it dropped.
fn link(namespace: &Namespace, name: &str) -> Result<[u64; 2]> {
    let text = namespace.ip(&["-json", "-statistics", "link", "show", name])?;
    let value: Value = serde_json::from_str(&text)?;
    let sent = &value[0]["stats64"]["tx"];
    let field = |name: &str| sent[name].as_u64().context("no count of frames");
    Ok([field("packets")?, field("dropped")?])
}
