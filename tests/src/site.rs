//! A daemon on an interface of its own, and what an operator does with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result};
use etherparse::PacketBuilder;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    folder::Folder,
    http,
    metrics::{self, Metrics},
    netns::Namespace,
    program::Program,
    sensor::binary,
    wait::wait_for,
    wire::Wire,
};

/// How long anything may take.
pub const SECONDS: Duration = Duration::from_secs(15);
/// Configuration with which [`Site::scan`] of 40 ports makes an alert, and its flows end soon.
pub const SCANS_ALERT: &str = "\
[flow]
idle_other = \"1s\"
[detect]
scan_targets = 20
scan_within = \"2s\"
";
const MESSAGE: &[u8] =
    b"\x0bMSH|^~\\&|LAB|WARD|EHR|SITE|20260101||ORU^R01|1|P|2.5\rPID|1||CANARY\r\x1c\r";

/// A sensor's namespace with the daemon in it, and another from which frames come.
pub struct Site {
    // Dropped in this order: the daemon before its namespace.
    /// The running daemon.
    pub daemon: Program,
    /// The namespace of the daemon.
    pub sensor: Namespace,
    sender: Namespace,
    wire: Wire,
    /// Where its files are.
    pub folder: Folder,
    sequence: u32,
}

fn config(folder: &Path, events: &Path, more: &str, pins: Option<&Path>) -> Result<PathBuf> {
    let path = folder.join("wardtap.toml");
    let pins = pins.map_or_else(String::new, |pins| {
        format!("pins = \"{}\"\n", pins.display())
    });
    let text = format!(
        "[[interface]]\nname = \"span0\"\n{more}\n[output.json]\npath = \"{}\"\n[control]\nsocket = \"{}\"\n\
         [state]\ndirectory = \"{}\"\n{pins}",
        events.display(),
        folder.join("control.sock").display(),
        folder.join("state").display()
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// The command that runs the daemon in a namespace.
fn run(sensor: &Namespace, config: &Path) -> Result<Command> {
    let mut command = sensor.command(binary()?);
    command.args(["run", "--config"]).arg(config);
    Ok(command)
}

/// Waits until the daemon listens.
fn listening(daemon: &mut Program) -> Result<()> {
    daemon.wait_until("the daemon to listen", SECONDS, |log| {
        log.contains("listening").then_some(())
    })
}

impl Site {
    /// Starts it, with `more` lines of configuration.
    ///
    /// # Errors
    /// When a namespace, the cable or the daemon can't be started, or the daemon does not listen in time.
    pub fn start(name: &str, more: &str) -> Result<Self> {
        let folder = Folder::create(name)?;
        let events = folder.path.join("events.jsonl");
        Self::start_in(name, folder, &events, more)
    }

    /// The same with a folder and a file of events of the caller's.
    ///
    /// # Errors
    /// When a namespace, the cable or the daemon can't be started, or the daemon does not listen in time.
    pub fn start_in(name: &str, folder: Folder, events: &Path, more: &str) -> Result<Self> {
        let config = config(&folder.path, events, more, None)?;
        Self::launch(name, folder, |sensor| run(sensor, &config))
    }

    /// The same by a launcher (a command that runs the rest of its line), with pins in a folder of the machine.
    ///
    /// # Errors
    /// When a namespace, the cable or the daemon can't be started, or the daemon does not listen in time.
    pub fn start_by(
        launcher: &[&str],
        name: &str,
        folder: Folder,
        more: &str,
        pins: &Path,
    ) -> Result<Self> {
        let config = config(
            &folder.path,
            &folder.path.join("events.jsonl"),
            more,
            Some(pins),
        )?;
        Self::launch(name, folder, |sensor| {
            let mut command = sensor.enter(launcher[0]);
            command.args(&launcher[1..]).arg(binary()?);
            command.arg("run").arg("--config").arg(config);
            Ok(command)
        })
    }

    /// Ends the daemon and starts it again, on what it left.
    ///
    /// # Errors
    /// As [`Self::start_again`].
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.stop()?;
        self.start_again()
    }

    /// Starts the daemon on what the last one left, which has ended.
    ///
    /// # Errors
    /// When it can't be started or does not listen in time.
    pub fn start_again(&mut self) -> Result<()> {
        let command = run(&self.sensor, &self.folder.path.join("wardtap.toml"))?;
        self.daemon = Program::start("again", command, &self.folder.path)?;
        listening(&mut self.daemon)
    }

    fn launch(
        name: &str,
        folder: Folder,
        command: impl FnOnce(&Namespace) -> Result<Command>,
    ) -> Result<Self> {
        let id = std::process::id();
        let sensor = Namespace::create(&format!("wt-{name}-{id}-s"))?;
        let sender = Namespace::create(&format!("wt-{name}-{id}-x"))?;
        sensor.cable("span0", &sender, "out0")?;
        let mut daemon = Program::start("wardtap", command(&sensor)?, &folder.path)?;
        listening(&mut daemon)?;
        let wire = Wire::open(&sender, "out0")?;
        Ok(Self {
            daemon,
            sensor,
            sender,
            wire,
            folder,
            sequence: 1,
        })
    }

    /// Takes the cable away, both interfaces with it.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn cut(&self) -> Result<()> {
        self.sender.ip(&["link", "delete", "out0"])?;
        Ok(())
    }

    /// Pulls the cable out at the far end, or plugs it in.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn plug(&self, there: bool) -> Result<()> {
        let state = if there { "up" } else { "down" };
        self.sender.ip(&["link", "set", "out0", state])?;
        Ok(())
    }

    /// Lays a new one.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn mend(&mut self) -> Result<()> {
        self.sensor.cable("span0", &self.sender, "out0")?;
        self.wire = Wire::open(&self.sender, "out0")?;
        Ok(())
    }

    /// Sends `count` HL7 messages of one connection, a frame each.
    ///
    /// # Errors
    /// When the cable takes no frame.
    pub fn send(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            let mut frame = Vec::new();
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
                .tcp(40_000, 2_575, self.sequence, 1_000)
                .ack(1)
                .write(&mut frame, MESSAGE)?;
            self.wire.send(&frame)?;
            self.sequence += u32::try_from(MESSAGE.len())?;
        }
        Ok(())
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// When the cable takes no frame.
    pub fn frame(&mut self, frame: &[u8]) -> Result<()> {
        self.wire.send(frame)?;
        Ok(())
    }

    /// Sends the first datagram of `count` flows, none of which is answered.
    ///
    /// # Errors
    /// When the cable takes no frame.
    pub fn scan(&mut self, count: u16) -> Result<()> {
        for port in 1..=count {
            let mut frame = Vec::new();
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4([10, 0, 0, 3], [10, 0, 0, 4], 64)
                .udp(40_000, port)
                .write(&mut frame, b"?")?;
            self.wire.send(&frame)?;
        }
        Ok(())
    }

    /// Runs the program with arguments, on the daemon's socket.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn cli(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.sensor.command(binary()?);
        command
            .arg("--socket")
            .arg(self.folder.path.join("control.sock"));
        Ok(command.args(arguments).output()?)
    }

    /// What it prints with `--json`.
    ///
    /// # Errors
    /// When that is no JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.cli(&[arguments, &["--json"]].concat())?;
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).with_context(|| format!("{arguments:?}: {output:?}"))
    }

    /// The status once `condition` holds of it.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn status_when(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut last = Value::Null;
        wait_for(what, SECONDS, || {
            last = self.json(&["status"]).ok()?;
            condition(&last).then(|| last.clone())
        })
        .with_context(|| format!("the last status was {last:#}"))
    }

    /// What the daemon answers at its port for metrics.
    ///
    /// # Errors
    /// When it answers with an error, or not.
    pub fn get(&self, path: &str) -> Result<String> {
        http::get(&self.sensor, metrics::PORT, path)
    }

    /// The metrics, by name and labels.
    ///
    /// # Errors
    /// When they can't be had or read.
    pub fn metrics(&self) -> Result<Metrics> {
        Metrics::scrape(&self.sensor)
    }

    /// Sends the daemon a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = fs::read_to_string(self.folder.path.join("control.sock.lock"))?;
        Ok(kill(Pid::from_raw(id.trim().parse()?), signal)?)
    }
}
