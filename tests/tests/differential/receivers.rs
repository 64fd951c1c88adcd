//! Real receivers in a network namespace: started once, asked many times.

use std::{
    collections::HashMap,
    env,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sensor_facts::lock::lock;
use serde_json::Value;
use tests::{hl7::python, netns::Namespace, program::Program};

/// What the names of the namespaces begin with.
const PREFIX: &str = "wt-differential";
/// How long a receiver may take to listen.
const LISTENS: Duration = Duration::from_mins(1);
/// How long a receiver may take to say what it did.
const SAID: Duration = Duration::from_millis(1_500);

/// What a receiver speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// DICOM.
    Dicom,
    /// HL7 over MLLP.
    Hl7,
}

/// A receiver.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    /// Its program's name.
    pub(crate) name: &'static str,
    /// What it speaks.
    pub(crate) language: Language,
    /// Where it listens.
    pub(crate) port: u16,
    /// AE title that it goes by.
    pub(crate) called: &'static str,
    /// How long the client waits for the beginning of an answer.
    pub(crate) patience: Duration,
    /// Its part of a hundred exchanges: what it takes in the time.
    pub(crate) share: u64,
    /// Connections at the same time.
    pub(crate) lanes: u64,
    /// It says what it does.
    pub(crate) says: bool,
}

const fn receiver(
    name: &'static str,
    language: Language,
    port: u16,
    share: u64,
    lanes: u64,
) -> Receiver {
    Receiver {
        name,
        language,
        port,
        called: "ANY",
        patience: Duration::from_millis(40),
        share,
        lanes,
        says: false,
    }
}

/// All receivers.
pub(crate) const ALL: [Receiver; 6] = [
    receiver("storescp", Language::Dicom, 11_112, 26, 3),
    Receiver {
        called: "ARCHIVE",
        ..receiver("dcmqrscp", Language::Dicom, 11_113, 12, 2)
    },
    Receiver {
        says: true,
        patience: Duration::from_millis(250),
        ..receiver("pynetdicom", Language::Dicom, 11_114, 2, 2)
    },
    Receiver {
        patience: Duration::from_millis(60),
        ..receiver("orthanc", Language::Dicom, 11_115, 3, 3)
    },
    Receiver {
        says: true,
        patience: Duration::from_millis(25),
        ..receiver("python-hl7", Language::Hl7, 2_575, 40, 3)
    },
    Receiver {
        says: true,
        patience: Duration::from_millis(25),
        ..receiver("hl7apy", Language::Hl7, 2_576, 17, 3)
    },
];

/// The receivers in their namespace.
pub(crate) struct Site {
    // Stopped before their namespace goes.
    _programs: Vec<Program>,
    /// Where they are.
    pub(crate) namespace: Namespace,
    folder: PathBuf,
}

/// Where `cargo xtask differential` unpacks Orthanc.
pub(crate) fn orthanc() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join("target/orthanc")
}

/// Why a receiver can't be asked here.
pub(crate) fn missing(receiver: &Receiver) -> Option<String> {
    let has = |module: &str| {
        let mut command = std::process::Command::new(python());
        let output = command.args(["-c", &format!("import {module}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let in_path = |name: &str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    let there = match receiver.name {
        "pynetdicom" => has("pynetdicom"),
        "python-hl7" => has("hl7.mllp"),
        "hl7apy" => has("hl7apy.mllp"),
        "orthanc" => orthanc().join("usr/sbin/Orthanc").is_file(),
        name => in_path(name),
    };
    (!there).then(|| format!("{} is not here: run `cargo xtask test`", receiver.name))
}

impl Site {
    /// Starts these receivers; `folder` takes their files.
    ///
    /// # Errors
    /// When one does not start.
    pub(crate) fn start(receivers: &[Receiver], folder: &Path) -> Result<Self> {
        let namespace = Namespace::create(&format!("{PREFIX}-{}", std::process::id()))?;
        let mut programs = Vec::new();
        for one in receivers {
            let program = start(one, &namespace, folder).context(one.name)?;
            programs.push(program);
        }
        for one in receivers {
            // A loaded machine takes its time for Python and its modules.
            let begin = Instant::now();
            while let Err(error) = namespace.wait_for_listener(one.port) {
                ensure!(begin.elapsed() < LISTENS, "{}: {error:#}", one.name);
            }
        }
        Ok(Self {
            _programs: programs,
            namespace,
            folder: folder.to_owned(),
        })
    }

    /// What a receiver says, from now on.
    pub(crate) fn reports(&self, receiver: &Receiver) -> Option<Reports> {
        receiver.says.then(|| {
            Reports(Arc::new(Mutex::new(Said {
                path: report(&self.folder, receiver),
                read: 0,
                by_port: HashMap::new(),
            })))
        })
    }
}

fn report(folder: &Path, receiver: &Receiver) -> PathBuf {
    folder.join(format!("{}.report", receiver.name))
}

fn start(receiver: &Receiver, namespace: &Namespace, folder: &Path) -> Result<Program> {
    let port = receiver.port.to_string();
    // A receiver that an exchange has killed comes back.
    let again = || {
        let mut command = namespace.command("sh");
        command.args(["-c", "while true; do \"$@\"; sleep 0.1; done", "receiver"]);
        command
    };
    let program = |name: &str, arguments: &[&str]| {
        let mut command = again();
        command.arg(name).args(arguments);
        command
    };
    let archive = ALL[0].port;
    let command = match receiver.name {
        "storescp" => program(
            "storescp",
            &[
                "--ignore", "--fork", "-ta", "3", "-td", "3", "-ts", "4", "-dhl", &port,
            ],
        ),
        "dcmqrscp" => {
            let images = folder.join("images");
            fs::create_dir_all(&images)?;
            let configuration = folder.join("dcmqrscp.cfg");
            let text = format!(
                "MaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n\
                 archive = (ARCHIVE, 127.0.0.1, {archive})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n\
                 AETable BEGIN\nARCHIVE {} RW (100, 1024mb) ANY\nAETable END\n",
                images.display()
            );
            fs::write(&configuration, text)?;
            let mut command = program("dcmqrscp", &["-ta", "3", "-td", "3", "-to", "3"]);
            command.arg("-c").arg(configuration).arg(&port);
            command
        }
        "orthanc" => {
            let configuration = folder.join("orthanc.json");
            let text = serde_json::json!({
                "DicomPort": receiver.port, "DicomAet": "ORTHANC", "HttpServerEnabled": false,
                "DicomServerEnabled": true, "DicomCheckCalledAet": false, "DicomScpTimeout": 3,
                "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true,
                "DicomAlwaysAllowFind": true, "DicomAlwaysAllowMove": true,
                "UnknownSopClassAccepted": true, "OverwriteInstances": true,
                "StorageDirectory": folder.join("orthanc"), "IndexDirectory": folder.join("orthanc"),
                "SynchronousCMove": true, "DicomScuTimeout": 3, "Plugins": [],
                "DicomModalities": { "archive": ["ARCHIVE", "127.0.0.1", archive] },
            });
            fs::write(&configuration, text.to_string())?;
            let root = orthanc();
            let mut command = program(&root.join("usr/sbin/Orthanc").to_string_lossy(), &[]);
            command
                .arg(configuration)
                .env("LD_LIBRARY_PATH", libraries(&root));
            command
        }
        name => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/receivers.py");
            let mut command = again();
            command.arg(python()).arg(script).arg(name).arg(&port);
            command.arg(report(folder, receiver));
            if name == "pynetdicom" {
                command.arg(archive.to_string());
            }
            command
        }
    };
    Program::start(receiver.name, command, folder)
}

/// The folder of an unpacked Debian package's libraries.
fn libraries(root: &Path) -> PathBuf {
    let all = fs::read_dir(root.join("usr/lib")).into_iter().flatten();
    let found = all
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with("-linux-gnu"));
    found.unwrap_or_else(|| root.join("usr/lib"))
}

/// What a receiver says that it does, by the client's port; for all who play with it.
#[derive(Clone)]
pub(crate) struct Reports(Arc<Mutex<Said>>);

struct Said {
    path: PathBuf,
    read: u64,
    by_port: HashMap<u16, Vec<Value>>,
}

impl Said {
    fn fill(&mut self) -> Result<()> {
        let Ok(mut file) = File::open(&self.path) else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        self.read += end as u64 + 1;
        for line in String::from_utf8_lossy(&bytes[..end]).lines() {
            let Some((port, what)) = line.split_once('\t') else {
                bail!("a report without port: {line}");
            };
            let said = self.by_port.entry(port.parse()?).or_default();
            said.push(serde_json::from_str(what)?);
        }
        Ok(())
    }

    /// What was done on a connection from `port`, up to its end.
    fn take(&mut self, port: u16, since: f64) -> Option<Vec<Value>> {
        let said = self.by_port.get_mut(&port)?;
        // What came late of an earlier connection from the same port.
        said.retain(|one| one["at"].as_f64().is_some_and(|at| at >= since));
        let end = said.iter().position(|one| one["did"] == "closed")?;
        let rest = said.split_off(end + 1);
        Some(std::mem::replace(said, rest))
    }
}

impl Reports {
    /// What it did on a connection from `port`, which began at `since` and is over, and whether it says that this is all: pynetdicom does
    /// not after some aborts.
    ///
    /// # Errors
    /// When its report can't be read.
    pub(crate) fn take(&self, port: u16, since: f64) -> Result<(Vec<Value>, bool)> {
        let begin = Instant::now();
        loop {
            {
                let mut said = lock(&self.0);
                if let Some(mine) = said.take(port, since) {
                    return Ok((mine, true));
                }
                if begin.elapsed() > SAID {
                    let some = said.by_port.remove(&port);
                    return Ok((some.unwrap_or_default(), false));
                }
                said.fill()?;
                if let Some(mine) = said.take(port, since) {
                    return Ok((mine, true));
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
