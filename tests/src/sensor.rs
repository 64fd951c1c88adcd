//! The daemon at the hospital's mirror port, and what an operator asks of it.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    hospital::{Hospital, MIRROR},
    netns::{Namespace, run},
    program::Program,
    wait::wait_for,
};

/// How long the daemon may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where it serves its metrics, in its own namespace.
const METRICS: &str = "127.0.0.1:9641";

/// A running daemon.
#[derive(Debug)]
pub struct Sensor {
    program: Program,
    binary: PathBuf,
    folder: PathBuf,
}

impl Sensor {
    /// Starts `binary` in the sensor's namespace of a hospital; `folder` takes its files.
    ///
    /// # Errors
    /// When it does not start to listen.
    pub fn start(hospital: &Hospital, binary: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let config = folder.join("wardtap.toml");
        let text = format!(
            "[[interface]]\nname = \"{MIRROR}\"\n\n[output.json]\npath = \"{}\"\n\n[control]\nsocket = \"{}\"\n",
            folder.join("events.jsonl").display(),
            folder.join("control.sock").display()
        );
        fs::write(&config, text).with_context(|| config.display().to_string())?;
        let mut command = hospital.sensor().command(binary);
        command.arg("run").arg("--config").arg(&config);
        let mut program = Program::start("wardtap", command, folder)?;
        program.wait_until("the sensor to listen", PATIENCE, |log| {
            log.contains("listening").then_some(())
        })?;
        Ok(Self {
            program,
            binary: binary.to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// What `wardtap` says to these arguments.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        run(Command::new(&self.binary)
            .arg("--socket")
            .arg(self.folder.join("control.sock"))
            .args(arguments))
    }

    /// Waits until the sensor has seen all frames that went into the mirror, and its books are quiet.
    ///
    /// # Errors
    /// When frames are missing after a while.
    pub fn wait_for_all(&self, hospital: &Hospital) -> Result<Value> {
        let mut last = String::new();
        wait_for("all frames at the sensor", PATIENCE, || {
            last = self.ask(&["status", "--json"]).ok()?;
            let status: Value = serde_json::from_str(&last).ok()?;
            let seen = status["interfaces"][0]["counters"]["packets"].as_u64()?;
            let exact = status["ring"].as_array()?.iter().all(|ring| {
                let number = |name: &str| ring[name].as_u64().unwrap_or(u64::MAX / 4);
                number("offered") == number("received") + number("lost")
            });
            (seen == hospital.mirrored().ok()? && exact).then_some(status)
        })
        .with_context(|| format!("the last status was {last}"))
    }

    /// The page of metrics.
    ///
    /// # Errors
    /// When it is not served.
    pub fn metrics(&self, namespace: &Namespace) -> Result<String> {
        namespace.within(|| {
            let mut stream = TcpStream::connect(METRICS)?;
            stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: wardtap\r\n\r\n")?;
            let mut page = String::new();
            stream.read_to_string(&mut page)?;
            Ok(page)
        })
    }

    /// What the daemon has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// The events so far.
    ///
    /// # Errors
    /// When the file is missing or a line is no JSON.
    pub fn events(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.folder.join("events.jsonl"))?;
        text.lines()
            .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
            .collect()
    }

    /// Ends the daemon in order, so that all its events are written.
    ///
    /// # Errors
    /// When it does not end, or with an error.
    pub fn stop(&mut self) -> Result<()> {
        let status = self.program.stop()?;
        anyhow::ensure!(
            status.success(),
            "the sensor ended with {status}:\n{}",
            self.log()
        );
        Ok(())
    }
}
