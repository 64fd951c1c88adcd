//! What the threads of a process are allowed, as the kernel says it.

use std::fs;

use anyhow::{Context, Result};

/// To read and write maps (linux/capability.h).
pub const CAP_BPF: u64 = 1 << 39;
/// To send frames.
pub const CAP_NET_RAW: u64 = 1 << 13;
/// Rights over files: `CAP_CHOWN`, `CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH`, `CAP_FOWNER`, `CAP_FSETID`.
pub const FILES: u64 = 0b1_1111;

/// What a thread is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its name, as in `/proc`.
    pub name: String,
    /// The number of its user.
    pub user: u32,
    /// All that it could still use: permitted, effective, inheritable and ambient capabilities together.
    pub capabilities: u64,
    /// True if no program that it starts can have more.
    pub no_new_privileges: bool,
    /// True if its system calls are filtered.
    pub filtered: bool,
}

/// The threads of process `id`, in order of their names.
///
/// # Errors
/// When there is no such process.
pub fn threads(id: u32) -> Result<Vec<Thread>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{id}/task"))? {
        let path = entry?.path().join("status");
        // A thread may end while this reads.
        if let Ok(status) = fs::read_to_string(&path) {
            threads.push(thread(&status).with_context(|| path.display().to_string())?);
        }
    }
    threads.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(threads)
}

fn thread(status: &str) -> Result<Thread> {
    let field = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        line.with_context(|| format!("no {name}"))
    };
    let sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"];
    let mut capabilities = 0;
    for set in sets {
        capabilities |= u64::from_str_radix(field(set)?, 16)?;
    }
    Ok(Thread {
        name: field("Name")?.to_owned(),
        user: field("Uid")?
            .split('\t')
            .next()
            .unwrap_or_default()
            .parse()?,
        capabilities,
        no_new_privileges: field("NoNewPrivs")? == "1",
        filtered: field("Seccomp")? == "2",
    })
}
