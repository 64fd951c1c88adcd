//! Two hosts with a bridge between them, and the daemon on both of the bridge's ports: in the path.
//!
//! ```text
//!  left ── left0 ┌────────┐ right0 ── right
//!                │ bridge │
//!  10.9.0.1      └────────┘           10.9.0.2, .3, .4
//!  fd99::1                            fd99::2, ::3, ::4
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    netns::{Namespace, run},
    program::Program,
    sensor::binary,
};

/// How long the daemon may take to start.
const LIMIT: Duration = Duration::from_secs(20);
/// Ethernet address of the host on the left.
pub const LEFT_MAC: &str = "02:00:00:09:00:01";
/// Of the host on the right.
pub const RIGHT_MAC: &str = "02:00:00:09:00:02";
/// Addresses on the right, by their last number.
const RIGHT: [u8; 3] = [2, 3, 4];

/// The hosts, the bridge, and the daemon's files.
#[derive(Debug)]
pub struct Passage {
    /// The host on the left.
    pub left: Namespace,
    /// The host on the right.
    pub right: Namespace,
    /// The bridge; the daemon's.
    pub middle: Namespace,
    folder: PathBuf,
    name: String,
}

impl Passage {
    /// Builds it; `more` is added to the daemon's configuration.
    ///
    /// # Errors
    /// When a step fails.
    pub fn build(name: &str, more: &str) -> Result<Self> {
        let name = format!("wt-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir_all(&folder)?;
        let namespace = |which: &str| Namespace::create(&format!("{name}-{which}"));
        let (left, right, middle) = (namespace("l")?, namespace("r")?, namespace("m")?);
        middle.ip(&["link", "add", "name", "bridge0", "type", "bridge"])?;
        for (host, port) in [(&left, "left0"), (&right, "right0")] {
            middle.ip(&[
                "link",
                "add",
                "dev",
                port,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                host.name(),
            ])?;
            middle.ip(&["link", "set", "dev", port, "addrgenmode", "none"])?;
            middle.ip(&["link", "set", "dev", port, "master", "bridge0", "up"])?;
            let six = "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
            run(host.command("sh").args(["-c", six]))?;
            host.ip(&["link", "set", "eth0", "addrgenmode", "none"])?;
            let mac = if host.name() == left.name() {
                LEFT_MAC
            } else {
                RIGHT_MAC
            };
            host.ip(&["link", "set", "eth0", "address", mac])?;
            host.ip(&["link", "set", "eth0", "gso_max_segs", "1", "up"])?;
        }
        middle.ip(&["link", "set", "dev", "bridge0", "addrgenmode", "none", "up"])?;
        left.ip(&["address", "add", "10.9.0.1/24", "dev", "eth0"])?;
        left.ip(&["address", "add", "fd99::1/64", "dev", "eth0", "nodad"])?;
        for host in RIGHT {
            right.ip(&[
                "address",
                "add",
                &format!("10.9.0.{host}/24"),
                "dev",
                "eth0",
            ])?;
            let six = format!("fd99::{host}/64");
            right.ip(&["address", "add", &six, "dev", "eth0", "nodad"])?;
        }
        let passage = Self {
            left,
            right,
            middle,
            folder,
            name,
        };
        let folder = passage.folder.display();
        let text = format!(
            "[[interface]]\nname = \"left0\"\nrole = \"inline\"\n\n\
             [[interface]]\nname = \"right0\"\nrole = \"inline\"\n\n\
             [output.json]\npath = \"{folder}/events.jsonl\"\n\n\
             [control]\nsocket = \"{folder}/control.sock\"\n\n\
             [state]\ndirectory = \"{folder}/state\"\npins = \"{}\"\n\n\
             [metrics]\nenabled = false\n\n{more}\n",
            passage.pins().display()
        );
        fs::write(passage.config(), text)?;
        Ok(passage)
    }

    /// Frames that reached the host on the right.
    ///
    /// # Errors
    /// When `ip` does not say.
    pub fn arrived(&self) -> Result<u64> {
        let text = self
            .right
            .ip(&["-json", "-statistics", "link", "show", "eth0"])?;
        let value: Value = serde_json::from_str(&text)?;
        value[0]["stats64"]["rx"]["packets"]
            .as_u64()
            .with_context(|| format!("no packet count in {text}"))
    }

    /// Where programs and rules are pinned.
    #[must_use]
    pub fn pins(&self) -> PathBuf {
        Path::new("/sys/fs/bpf").join(&self.name)
    }

    /// The file of the daemon's configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("wardtap.toml")
    }

    /// The folder of the daemon's files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the audit trail.
    #[must_use]
    pub fn trail(&self) -> PathBuf {
        self.folder.join("state/audit.jsonl")
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Errors
    /// When it does not, with its log.
    pub fn start(&self) -> Result<Program> {
        let mut command = self.middle.enter(binary()?);
        command.args(["run", "--config"]).arg(self.config());
        let mut daemon = Program::start("wardtap", command, &self.folder)?;
        daemon.wait_until("the daemon to listen", LIMIT, |log| {
            log.contains("rules in force").then_some(())
        })?;
        Ok(daemon)
    }

    /// `wardtap` with these arguments, at the daemon's socket.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn cli(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary()?);
        command
            .args(arguments)
            .env("WARDTAP_SOCKET", self.folder.join("control.sock"));
        Ok(command.output()?)
    }

    /// The same, which has to succeed and print JSON.
    ///
    /// # Errors
    /// When it does not, with what it says.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.cli(&[arguments, &["--json"]].concat())?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments:?}"))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if let Ok(binary) = binary() {
            let mut command = Command::new(binary);
            let _ = command
                .arg("unload")
                .arg("--config")
                .arg(self.config())
                .output();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
