//! The daemon at the hospital's mirror port, and what an operator does with it.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use sensor_common::counter::Counter;
use serde_json::Value;

use crate::{
    hospital::{Hospital, MIRROR, PORTS, RESPONSE},
    netns::{Namespace, run},
    program::Program,
    tally::Tally,
    wait::wait_for,
};

/// Time that the daemon has to start, to read what is there, to answer.
const LIMIT: Duration = Duration::from_secs(15);
/// Time that it has to end in order: after a flood there is much to write.
const END: Duration = Duration::from_mins(1);
/// Where it serves its metrics, in its namespace.
const METRICS: &str = "127.0.0.1:9641";

/// A running daemon. Stopped when dropped.
#[derive(Debug)]
pub struct Sensor {
    daemon: Program,
    binary: PathBuf,
    folder: PathBuf,
}

/// The `wardtap` binary that was built beside this program.
///
/// # Errors
/// When there is none.
pub fn binary() -> Result<PathBuf> {
    let this = env::current_exe()?;
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("wardtap"))
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "no wardtap beside {}: `cargo xtask build` makes it",
                this.display()
            )
        })
}

impl Sensor {
    /// Starts the daemon; `folder` takes its configuration, socket, events and log.
    ///
    /// # Errors
    /// When it does not begin to listen, with its log.
    pub fn start(hospital: &Hospital, folder: &Path) -> Result<Self> {
        Self::at_mirror(hospital, folder, "")
    }

    /// Starts the daemon at the mirror, with a model and the runtime that it needs.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_model(
        hospital: &Hospital,
        folder: &Path,
        [model, runtime]: [&Path; 2],
    ) -> Result<Self> {
        let (model, runtime) = (model.display(), runtime.display());
        let more = format!("[model]\npath = \"{model}\"\nruntime = \"{runtime}\"\n");
        Self::at_mirror(hospital, folder, &more)
    }

    /// Starts the daemon at the mirror, with the response interface of [`Hospital::response`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_responding(hospital: &Hospital, folder: &Path) -> Result<Self> {
        let response = format!("[response]\ninterface = \"{RESPONSE}\"\n");
        Self::at_mirror(hospital, folder, &response)
    }

    fn at_mirror(hospital: &Hospital, folder: &Path, more: &str) -> Result<Self> {
        let interface = format!("[[interface]]\nname = \"{MIRROR}\"\n");
        Self::start_with(hospital, folder, &interface, more)
    }

    /// Starts the daemon in the path, on both ports of [`Hospital::build_inline`]; `more` is added to its
    /// configuration.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_inline(hospital: &Hospital, folder: &Path, more: &str) -> Result<Self> {
        let port = |name| format!("[[interface]]\nname = \"{name}\"\nrole = \"inline\"\n\n");
        Self::start_with(hospital, folder, &PORTS.map(port).concat(), more)
    }

    fn start_with(
        hospital: &Hospital,
        folder: &Path,
        interfaces: &str,
        more: &str,
    ) -> Result<Self> {
        let more = format!(
            "# Short, so that conversations are over soon after they were closed.\n\
             [flow]\nidle_closed = \"2s\"\nidle_other = \"3s\"\n\n\
             [log]\nlevel = \"debug\"\n\n{more}"
        );
        Self::start_at(hospital.sensor(), binary()?, folder, interfaces, &more)
    }

    /// Starts a daemon in a namespace; `more` is added to its configuration.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_at(
        namespace: &Namespace,
        binary: PathBuf,
        folder: &Path,
        interfaces: &str,
        more: &str,
    ) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let sensor = Self::paths(folder);
        let text = format!(
            "{interfaces}\n[output.json]\npath = \"{}\"\n\n\
             [control]\nsocket = \"{}\"\n\n[state]\ndirectory = \"{}\"\npins = \"/sys/fs/bpf/{}\"\n\n[metrics]\nlisten = \"{METRICS}\"\n\n\
             {more}",
            sensor.events.display(),
            sensor.socket.display(),
            folder.join("state").display(),
            namespace.name()
        );
        fs::write(&sensor.configuration, text)?;
        let mut command = namespace.enter(&binary);
        command.args(["run", "--config"]).arg(&sensor.configuration);
        let mut daemon = Program::start("wardtap", command, folder)?;
        daemon.wait_until("the daemon to listen", LIMIT, |log| {
            log.contains("listening").then_some(())
        })?;
        Ok(Self {
            daemon,
            binary,
            folder: folder.to_owned(),
        })
    }

    fn paths(folder: &Path) -> Paths {
        Paths {
            configuration: folder.join("wardtap.toml"),
            socket: folder.join("control.sock"),
            events: folder.join("events.jsonl"),
        }
    }

    /// Takes the programs off the interfaces; to be called when the daemon has ended.
    ///
    /// # Errors
    /// When `wardtap unload` fails.
    pub fn unload(&self) -> Result<()> {
        run(Command::new(&self.binary)
            .arg("unload")
            .arg("--config")
            .arg(Self::paths(&self.folder).configuration))?;
        Ok(())
    }

    /// The file of the audit trail.
    #[must_use]
    pub fn trail(&self) -> PathBuf {
        self.folder.join("state/audit.jsonl")
    }

    /// The daemon's control socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        Self::paths(&self.folder).socket
    }

    /// The file that its events go to.
    #[must_use]
    pub fn events_path(&self) -> PathBuf {
        Self::paths(&self.folder).events
    }

    /// What the daemon has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// What `wardtap` prints when it asks the daemon.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        run(Command::new(&self.binary)
            .arg("--socket")
            .arg(self.socket())
            .args(arguments))
    }

    /// Runs `wardtap` at the terminal, so that its tables fit there.
    ///
    /// # Errors
    /// When it fails.
    pub fn show(&self, arguments: &[&str]) -> Result<()> {
        let status = Command::new(&self.binary)
            .arg("--socket")
            .arg(self.socket())
            .args(arguments)
            .status()?;
        ensure!(
            status.success(),
            "wardtap {}: {status}",
            arguments.join(" ")
        );
        Ok(())
    }

    /// Memory of the daemon's process, now and at most, bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<(u64, u64)> {
        self.daemon.memory()
    }

    /// What `wardtap` prints as JSON without the daemon.
    ///
    /// # Errors
    /// When it fails, or prints something else.
    pub fn offline_json(&self, arguments: &[&str]) -> Result<Value> {
        let text = run(Command::new(&self.binary).args(arguments).arg("--json"))?;
        serde_json::from_str(&text).with_context(|| format!("{arguments:?} gives {text}"))
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// When it fails, or prints something else than JSON.
    pub fn ask_json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.ask(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("{arguments:?} gives {text}"))
    }

    /// The metrics as they are scraped.
    ///
    /// # Errors
    /// When they are not served.
    pub fn metrics(&self, namespace: &Namespace) -> Result<String> {
        namespace.within(|| {
            let mut stream = TcpStream::connect(METRICS)?;
            stream.set_read_timeout(Some(LIMIT))?;
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: sensor\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            Ok(answer)
        })
    }

    /// The account of frames and ring buffer, once the mirror is at rest and all that was sent has come.
    ///
    /// # Errors
    /// When what the daemon says does not come to what the switch has sent.
    pub fn account(&self, hospital: &Hospital) -> Result<Account> {
        let mut last = None;
        wait_for("every mirrored frame to be accounted for", LIMIT, || {
            let before = hospital.mirrored().ok()?;
            let account = Account::of(before, &self.ask_json(&["status"]).ok()?);
            let quiet = hospital.mirrored().ok()? == before && account.complete();
            last = Some(account.clone());
            quiet.then_some(account)
        })
        .with_context(|| format!("{last:?}"))
    }

    /// Waits until the events say what was done; where they still differ when the time is over.
    ///
    /// # Errors
    /// When the events can't be read.
    pub fn differences(&self, done: &Tally) -> Result<Vec<String>> {
        let mut last = Ok(Vec::new());
        let agreed = wait_for("the events to say what was done", LIMIT, || {
            last = self
                .events()
                .map(|events| Tally::of_events(&events).differences(done));
            matches!(&last, Ok(differences) if differences.is_empty()).then_some(())
        });
        if agreed.is_ok() { Ok(Vec::new()) } else { last }
    }

    /// Stops the daemon in order.
    ///
    /// # Errors
    /// When it does not end, or not with success.
    pub fn stop(&mut self) -> Result<()> {
        let status = self.daemon.stop_within(END)?;
        ensure!(status.success(), "{status}:\n{}", self.daemon.log());
        Ok(())
    }

    /// The events that it has written.
    ///
    /// # Errors
    /// When a line is not JSON.
    pub fn events(&self) -> Result<Vec<Value>> {
        self.events_text()?
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
            .collect()
    }

    /// The same as text.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn events_text(&self) -> Result<String> {
        let path = self.events_path();
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

struct Paths {
    configuration: PathBuf,
    socket: PathBuf,
    events: PathBuf,
}

/// What was sent, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Frames that the switch sent into the mirror.
    pub mirrored: u64,
    /// Frames that reached the program.
    pub frames: u64,
    /// Of these, in each disposition.
    pub dispositions: Vec<(String, u64)>,
    /// Events offered to the ring buffer.
    pub offered: u64,
    /// Of these, received by the daemon.
    pub received: u64,
    /// Of these, lost because the ring was full.
    pub lost: u64,
}

impl Account {
    fn of(mirrored: u64, status: &Value) -> Self {
        let counters = &status["interfaces"][0]["counters"];
        let ring = |name: &str| {
            let kinds = status["ring"].as_array().into_iter().flatten();
            kinds.filter_map(|kind| kind[name].as_u64()).sum()
        };
        Self {
            mirrored,
            frames: counters["packets"].as_u64().unwrap_or_default(),
            dispositions: Counter::DISPOSITIONS
                .iter()
                .map(|one| one.label())
                .filter_map(|name| Some((name.to_owned(), counters[name].as_u64()?)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            offered: ring("offered"),
            received: ring("received"),
            lost: ring("lost"),
        }
    }

    /// True if every frame and every event is where it has to be: sent = received + lost, exactly.
    #[must_use]
    pub fn complete(&self) -> bool {
        let disposed: u64 = self.dispositions.iter().map(|(_, count)| count).sum();
        self.frames == self.mirrored
            && disposed == self.frames
            && self.offered == self.received + self.lost
    }
}
