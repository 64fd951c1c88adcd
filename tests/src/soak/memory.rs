//! What the daemon takes, and a control group that lets it have no more.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// What the daemon may have in all, bytes: its own memory, the kernel's for its maps, and the files that it has just
/// written. Half of what docs/operating.md asks of a machine.
pub(super) const LIMIT: u64 = 1 << 30;

/// The daemon's memory at a moment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the process has in memory now.
    pub rss: u64,
    /// The most since the phase began.
    pub peak_rss: u64,
    /// What the kernel accounts to it and can't take back: its own memory and that of its maps.
    pub held: u64,
}

/// A control group with a memory limit; removed when dropped, after its processes.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
    /// Names in version 2 of control groups, else in version 1.
    files: &'static Files,
}

#[derive(Debug)]
struct Files {
    limit: &'static str,
    usage: &'static str,
    /// Line in `memory.stat` of what can be taken back.
    cache: &'static str,
}

const VERSION_2: Files = Files {
    limit: "memory.max",
    usage: "memory.current",
    cache: "file",
};
const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    cache: "total_cache",
};

impl Group {
    pub(super) fn create(name: &str) -> Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let controllers = fs::read_to_string(root.join("cgroup.controllers"));
        let group =
            if controllers.is_ok_and(|text| text.split_whitespace().any(|one| one == "memory")) {
                fs::write(root.join("cgroup.subtree_control"), "+memory")
                    .context("/sys/fs/cgroup/cgroup.subtree_control")?;
                Self {
                    path: root.join(name),
                    files: &VERSION_2,
                }
            } else if root.join("memory").is_dir() {
                // Below this process's own: what bounds that bounds the daemon too.
                let own = fs::read_to_string("/proc/self/cgroup")?;
                let own = own
                    .lines()
                    .find_map(|line| line.split_once(":memory:"))
                    .map_or("/", |(_, path)| path);
                Self {
                    path: root
                        .join("memory")
                        .join(own.trim_start_matches('/'))
                        .join(name),
                    files: &VERSION_1,
                }
            } else {
                bail!("there is no control group for memory at {}", root.display());
            };
        fs::create_dir_all(&group.path).with_context(|| group.path.display().to_string())?;
        group.limit(LIMIT)?;
        Ok(group)
    }

    /// Where a process writes its id to be in it.
    pub(super) fn processes(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// Sets the memory that its processes may take together, in bytes.
    pub(super) fn limit(&self, bytes: u64) -> Result<()> {
        let path = self.path.join(self.files.limit);
        fs::write(&path, bytes.to_string()).with_context(|| path.display().to_string())
    }

    /// What is accounted to it and can't be taken back.
    pub(super) fn held(&self) -> Result<u64> {
        let read = |name: &str| {
            let path = self.path.join(name);
            fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let usage: u64 = read(self.files.usage)?.trim().parse()?;
        let stat = read("memory.stat")?;
        let cache: u64 = stat
            .lines()
            .find_map(|line| line.strip_prefix(self.files.cache)?.strip_prefix(' '))
            .context("memory.stat does not say what are files")?
            .trim()
            .parse()?;
        Ok(usage.saturating_sub(cache))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.path) {
            eprintln!("{}: {error}", self.path.display());
        }
    }
}

/// What process `id` has in memory, now and at most since [`forget_peak`].
pub(crate) fn of_process(id: i32) -> Result<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{id}/status"))?;
    let field = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.with_context(|| name.to_owned())?.parse::<u64>()? * 1_024)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}

/// Lets the peak begin anew (proc(5), `clear_refs`).
pub(super) fn forget_peak(id: i32) -> Result<()> {
    let path = format!("/proc/{id}/clear_refs");
    fs::write(&path, "5").context(path)
}
