//! Network namespaces, by the `ip` command, so that a person can enter them too.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{hl7::python, program::with_signals, wait::wait_for};

/// Where `ip netns` keeps its names.
const NAMES: &str = "/run/netns";

/// `ETHTOOL_STXCSUM` by `SIOCETHTOOL` (linux/ethtool.h), off.
const FILL_IN_CHECKSUMS: &str = "\
import array, fcntl, socket, struct
value = array.array('B', struct.pack('II', 0x17, 0))
request = struct.pack('16sP', b'eth0', value.buffer_info()[0])
fcntl.ioctl(socket.socket(), 0x8946, request)
";

/// A network namespace; its processes are killed and it is removed when dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace with its loopback up and without IPv6, whose own chatter would blur the counts.
    ///
    /// # Errors
    /// Without root, or when the name is taken.
    pub fn create(name: &str) -> Result<Self> {
        ip(&["netns", "add", name])?;
        let namespace = Self {
            name: name.to_owned(),
        };
        namespace.ip(&["link", "set", "lo", "up"])?;
        for scope in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
            let script = format!("if [ -e {path} ]; then echo 1 > {path}; fi");
            run(namespace.command("sh").arg("-c").arg(script))?;
        }
        Ok(namespace)
    }

    /// The namespace's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run in the namespace.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// The same with the machine's own file systems: `ip netns exec` mounts a `/sys` that ends with the
    /// command, and all that was pinned there with it.
    #[must_use]
    pub fn enter(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.name))
            .arg(program);
        command
    }

    /// `ip` in this namespace.
    ///
    /// # Errors
    /// With what `ip` says.
    pub fn ip(&self, arguments: &[&str]) -> Result<String> {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// Waits until something listens at a TCP port.
    ///
    /// # Errors
    /// When nothing does within ten seconds.
    pub fn wait_for_listener(&self, port: u16) -> Result<()> {
        let filter = format!("sport = :{port}");
        wait_for(
            &format!("a listener at port {port} in {}", self.name),
            Duration::from_secs(10),
            || {
                let found = run(self.command("ss").args(["-Hltn", &filter])).ok()?;
                (!found.is_empty()).then_some(())
            },
        )
    }

    /// Lays a cable: a pair of virtual interfaces, one end here, the other in `to`, both up.
    ///
    /// # Errors
    /// When a step fails.
    pub fn cable(&self, here: &str, to: &Self, there: &str) -> Result<()> {
        self.ip(&[
            "link", "add", here, "type", "veth", "peer", "name", there, "netns", &to.name,
        ])?;
        self.ip(&["link", "set", here, "up"])?;
        to.ip(&["link", "set", there, "up"])?;
        Ok(())
    }

    /// Has the sender at `eth0` fill in the checksums. A virtual cable carries frames whose checksums nobody has filled in; on a
    /// wire they are right, and a wrong one tells what its receiver drops.
    ///
    /// # Errors
    /// When Python or the system refuses.
    pub fn fill_in_checksums(&self) -> Result<()> {
        run(self.command(python()).args(["-c", FILL_IN_CHECKSUMS]))?;
        Ok(())
    }

    /// `tc` in this namespace.
    ///
    /// # Errors
    /// With what `tc` says.
    pub fn tc(&self, arguments: &[&str]) -> Result<String> {
        run(Command::new("tc").args(["-n", &self.name]).args(arguments))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.name) {
            eprintln!("namespace {}: {error:#}", self.name);
        }
    }
}

/// Removes all namespaces whose names begin with `prefix`, with the processes in them: what a run that was
/// killed has left. How many there were.
///
/// # Errors
/// When one can't be removed.
pub fn remove_leftovers(prefix: &str) -> Result<usize> {
    let Ok(entries) = fs::read_dir(NAMES) else {
        return Ok(0);
    };
    let names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    for name in &names {
        remove(name).with_context(|| format!("namespace {name}"))?;
    }
    Ok(names.len())
}

fn remove(name: &str) -> Result<()> {
    wait_for("its processes to end", Duration::from_secs(10), || {
        let pids = ip(&["netns", "pids", name]).unwrap_or_default();
        let mut none = true;
        for pid in pids.lines().filter_map(|line| line.trim().parse().ok()) {
            none = false;
            // One that ended by itself in the meantime is as good.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        none.then_some(())
    })?;
    if Path::new(NAMES).join(name).exists() {
        ip(&["netns", "delete", name])?;
    }
    Ok(())
}

fn ip(arguments: &[&str]) -> Result<String> {
    run(Command::new("ip").args(arguments))
}

/// Runs a command to its end; what it wrote to its output.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let line = || {
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line = line();
    let output = with_signals(command)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start: {line}"))?;
    if !output.status.success() {
        bail!(
            "{line}: {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
