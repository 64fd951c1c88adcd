//! A Debian machine of its own in namespaces, with systemd as its first process: what a package does to a host is seen
//! in it. It shares the kernel and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    netns::{Namespace, run},
    program::Program,
    wait::wait_for,
};

/// The release of Debian that is installed.
pub const SUITE: &str = "bookworm";
/// What is in it beside debootstrap's smallest variant.
pub const PACKAGES: &str = "systemd,systemd-sysv";
/// The environment variable that names the package to test.
pub const PACKAGE: &str = "WARDTAP_PACKAGE";

/// Time to boot, and to stop.
const LIMIT: Duration = Duration::from_mins(1);

/// Gives the new process a cgroup and namespaces of its own, and then [`BOOT`] in them.
const ENTER: &str = "echo $$ > \"$1/cgroup.procs\" && \
    exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup sh -euc \"$2\" sh \"$3\"";

/// Mounts what a container's first process expects (`systemd.io/CONTAINER_INTERFACE`) and becomes it. Settings that
/// belong to the whole kernel can't be changed from inside.
const BOOT: &str = r#"
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# On a real host systemd itself mounts it.
mount -t bpf -o mode=700 bpf sys/fs/bpf
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
exec env -i container=wardtap-test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /sbin/init
"#;

/// The archive of its root file system, which `cargo xtask dist --check` makes.
#[must_use]
pub fn image() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/dist/{SUITE}.tar"))
}

/// A running machine; gone with all that is in it when dropped.
#[derive(Debug)]
pub struct Machine {
    // Dropped first: its processes end.
    init: Program,
    id: u32,
    group: Group,
    folder: PathBuf,
}

impl Machine {
    /// Boots a fresh copy of the image below `folder`, with the interfaces of `network`.
    ///
    /// # Errors
    /// When the image is missing, or systemd does not come up.
    pub fn boot(network: &Namespace, folder: &Path) -> Result<Self> {
        let root = folder.join("root");
        fs::create_dir_all(&root).with_context(|| root.display().to_string())?;
        run(Command::new("tar")
            .args(["--extract", "--file"])
            .arg(image())
            .arg("--directory")
            .arg(&root))?;
        let group = Group::create(network.name())?;
        let mut command = network.enter("sh");
        command
            .args(["-euc", ENTER, "sh"])
            .arg(&group.0)
            .arg(BOOT)
            .arg(&root);
        let mut init = Program::start("init", command, folder)?;
        let id = first_process(&mut init)?;
        let machine = Self {
            init,
            id,
            group,
            folder: folder.to_owned(),
        };
        machine.booted()?;
        Ok(machine)
    }

    fn booted(&self) -> Result<()> {
        let mut last = String::new();
        wait_for("systemd to have booted", LIMIT, || {
            let output = self
                .command("systemctl")
                .arg("is-system-running")
                .output()
                .ok()?;
            String::from_utf8_lossy(&output.stdout)
                .trim()
                .clone_into(&mut last);
            output.status.success().then_some(())
        })
        .with_context(|| format!("it is {last:?}:\n{}", self.init.log()))
    }

    /// A command in the machine, as its root.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--root", "--wd",
            ])
            .args(["--target", &self.id.to_string()])
            .args([
                "env",
                "-i",
                "HOME=/root",
                "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive",
            ])
            .arg("PATH=/usr/sbin:/usr/bin:/sbin:/bin")
            .arg(program);
        command
    }

    /// Runs a shell's line in the machine; what it writes.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub fn sh(&self, line: &str) -> Result<String> {
        run(self
            .command("sh")
            .args(["-euc", &format!("exec 2>&1; {line}")]))
    }

    /// Ids of the processes of a service, as they are outside of the machine.
    ///
    /// # Errors
    /// When it does not run.
    pub fn processes(&self, service: &str) -> Result<Vec<u32>> {
        let path = self
            .group
            .0
            .join("system.slice")
            .join(service)
            .join("cgroup.procs");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        text.lines().map(|line| Ok(line.parse()?)).collect()
    }

    /// Reads a file of the machine.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(&self, path: &str) -> Result<String> {
        let path = self.path(path);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// Where a path of the machine's disk is outside of it.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join("root").join(path.trim_start_matches('/'))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With its first process all others end, and with them their mounts.
        if let Err(error) = self.init.kill() {
            eprintln!("the machine does not end: {error:#}");
        }
        if let Err(error) = self.group.end() {
            eprintln!("{error:#}");
        }
    }
}

/// The id of systemd, once it is what runs there.
fn first_process(init: &mut Program) -> Result<u32> {
    let outside = init.id()?;
    init.wait_until("systemd to be there", LIMIT, |_| {
        let children = format!("/proc/{outside}/task/{outside}/children");
        let id = fs::read_to_string(children).ok()?.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
        (name.trim() == "systemd").then_some(id)
    })
}

/// The machine's control group.
#[derive(Debug)]
struct Group(PathBuf);

impl Group {
    fn create(name: &str) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let mount = mounts.lines().find_map(|line| {
            let mut words = line.split(' ').skip(1);
            let path = words.next()?;
            (words.next() == Some("cgroup2")).then_some(path)
        });
        let path = Path::new(mount.context("no cgroup2 is mounted here")?).join(name);
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// Waits until nothing is in it.
    fn end(&self) -> Result<()> {
        wait_for("the machine's processes to end", LIMIT, || {
            let events = fs::read_to_string(self.0.join("cgroup.events")).ok()?;
            events.contains("populated 0").then_some(())
        })?;
        remove(&self.0).with_context(|| self.0.display().to_string())
    }
}

/// Control groups are removed from the innermost on.
fn remove(group: &Path) -> Result<()> {
    for entry in fs::read_dir(group)? {
        let path = entry?.path();
        if path.is_dir() {
            remove(&path)?;
        }
    }
    Ok(fs::remove_dir(group)?)
}
