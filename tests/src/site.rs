//! A daemon on an interface of its own, and what an operator does with it.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use nix::{
    mount::{MsFlags, mount, umount},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{netns::Namespace, program::Program, wait::wait_for, wire::Wire};

/// How long anything may take.
pub const SECONDS: Duration = Duration::from_secs(15);
const MESSAGE: &[u8] =
    b"\x0bMSH|^~\\&|LAB|WARD|EHR|SITE|20260101||ORU^R01|1|P|2.5\rPID|1||CANARY\r\x1c\r";

/// A sensor's namespace with the daemon in it, and another from which frames come.
pub struct Site {
    // Dropped in this order: the daemon before its namespace.
    /// The daemon.
    pub daemon: Program,
    /// Its namespace.
    pub sensor: Namespace,
    sender: Namespace,
    wire: Wire,
    /// Where its files are.
    pub folder: Folder,
    sequence: u32,
}

/// A folder of the test's own, removed with what is mounted in it.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    mounted: Option<PathBuf>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = &self.mounted {
            let _ = umount(path.as_path());
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Folder {
    /// A new one, named for a test.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(name: &str) -> Result<Self> {
        let path = env::temp_dir().join(format!("wardtap-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self {
            path,
            mounted: None,
        })
    }

    /// A file system of `size` bytes below it.
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn small_disk(&mut self, size: u32) -> Result<PathBuf> {
        let path = self.path.join("disk");
        fs::create_dir_all(&path)?;
        let options = format!("size={size}");
        mount(
            Some("tmpfs"),
            &path,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(options.as_str()),
        )?;
        self.mounted = Some(path.clone());
        Ok(path)
    }
}

/// The binary that `cargo xtask build` made beside this test.
///
/// # Errors
/// When there is none.
pub fn binary() -> Result<PathBuf> {
    let test = env::current_exe()?;
    let path = test
        .parent()
        .and_then(Path::parent)
        .context("a test without a folder")?
        .join("wardtap");
    ensure!(
        path.is_file(),
        "{} is missing: `cargo xtask build` makes it",
        path.display()
    );
    Ok(path)
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
        Self::launch(name, folder, |sensor| {
            let mut command = sensor.command(binary()?);
            command.arg("run").arg("--config").arg(config);
            Ok(command)
        })
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
    /// When a namespace, the cable or the daemon can't be started, or the daemon does not listen in time.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.stop()?;
        let mut command = self.sensor.command(binary()?);
        command
            .arg("run")
            .arg("--config")
            .arg(self.folder.path.join("wardtap.toml"));
        self.daemon = Program::start("again", command, &self.folder.path)?;
        self.daemon
            .wait_until("the daemon to listen", SECONDS, |log| {
                log.contains("listening").then_some(())
            })
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
        daemon.wait_until("the daemon to listen", SECONDS, |log| {
            log.contains("listening").then_some(())
        })?;
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
        self.get_from(9641, path)
    }

    /// What a server in the sensor's namespace answers.
    ///
    /// # Errors
    /// When it answers with an error, or not.
    pub fn get_from(&self, port: u16, path: &str) -> Result<String> {
        // Before 1.1 there are no chunks.
        let request = format!("GET {path} HTTP/1.0\r\nHost: sensor\r\n\r\n");
        self.sensor.within(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(SECONDS))?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
            ensure!(head.split(' ').nth(1) == Some("200"), "{head}");
            Ok(body.to_owned())
        })
    }

    /// The metrics, by name and labels.
    ///
    /// # Errors
    /// When they can't be had or read.
    pub fn metrics(&self) -> Result<BTreeMap<String, f64>> {
        let text = self.get("/metrics")?;
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').context(line.to_owned())?;
                Ok((name.to_owned(), value.parse()?))
            })
            .collect()
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

/// Packets at the first interface.
#[must_use]
pub fn packets(status: &Value) -> u64 {
    number(status, "/interfaces/0/counters/packets")
}

/// A number in JSON; the greatest there is where there is none.
#[must_use]
pub fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or(u64::MAX)
}

/// Offered, received and lost, all kinds together.
#[must_use]
pub fn ring(status: &Value) -> (u64, u64, u64) {
    let sum = |name: &str| -> u64 {
        let kinds = status["ring"].as_array();
        kinds
            .into_iter()
            .flatten()
            .filter_map(|kind| kind[name].as_u64())
            .sum()
    };
    (sum("offered"), sum("received"), sum("lost"))
}

/// The events of a file, each line of which has to be whole.
///
/// # Errors
/// When a line is not.
pub fn events(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "half a line at the end"
    );
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect()
}

/// HL7 messages among them.
#[must_use]
pub fn messages(events: &[Value]) -> usize {
    events
        .iter()
        .filter(|event| event["hl7"]["type"] == "message")
        .count()
}
