//! `cargo xtask kernels`: the kernel programs on kernels that this machine doesn't run.
//!
//! Debian's kernels boot in QEMU without hardware acceleration, with an initial RAM file system in which are the
//! daemon and tests of the workspace: what holds there is what the same tests demand here.

mod guest;
mod package;
mod report;

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    ebpf,
    install::{self, Program},
    workspace::{in_ci, root},
};

use package::{RELEASES, folder};
use report::Outcome;

/// What the guests take.
pub(crate) const EMULATOR: &[Program] = &[
    Program {
        name: "qemu-system-x86_64",
        package: "qemu-system-x86",
        purpose: "guests with other kernels",
    },
    Program {
        name: "busybox",
        package: "busybox-static",
        purpose: "the shell in the guests",
    },
    Program {
        name: "cpio",
        package: "cpio",
        purpose: "the guests' file systems",
    },
    Program {
        name: "strip",
        package: "binutils",
        purpose: "binaries that a guest loads fast",
    },
    Program {
        name: "xz",
        package: "xz-utils",
        purpose: "kernel modules",
    },
];

/// A guest that takes longer than this has failed; it takes two to three minutes of a core.
const LIMIT: Duration = Duration::from_mins(15);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Boot these only: 5.10, 6.1, 6.12
    #[arg(long, value_name = "VERSION", num_args = 1.., value_parser = RELEASES.map(|release| release.name))]
    kernel: Vec<String>,
    /// All that the guests take is there: nothing is built
    #[arg(long, hide = true)]
    ready: bool,
}

/// `cargo xtask kernels`. Writes `docs/kernels.md` when it ran all.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    if !arguments.ready {
        install::programs(EMULATOR)?;
        ebpf::objects()?;
        guest::build(&ebpf::daemon(false)?)?;
    }
    let mut outcomes = Vec::new();
    for release in &RELEASES {
        if arguments.kernel.is_empty() || arguments.kernel.iter().any(|one| one == release.name) {
            outcomes.push(boot(&package::fetch(release)?)?);
        }
    }
    println!("\n{}", report::table(&outcomes));
    for outcome in &outcomes {
        outcome.explain();
    }
    if outcomes.len() == RELEASES.len() {
        let path = root().join("docs/kernels.md");
        fs::write(&path, report::page(&outcomes)).with_context(|| path.display().to_string())?;
    }
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| !outcome.holds())
        .map(|outcome| outcome.kernel.as_str())
        .collect();
    ensure!(failed.is_empty(), "not all holds on {}", failed.join(", "));
    Ok(())
}

/// What boots the oldest kernel and tries it, for `cargo xtask test`, which has built this daemon and the tests: it
/// builds nothing, as that would put another daemon in the place of the one that is tested. None where the kernel can't
/// be fetched, which is said.
///
/// # Errors
/// In continuous integration also when the kernel can't be fetched.
pub(crate) fn oldest(daemon: &Path) -> Result<Option<Command>> {
    let [release, ..] = &RELEASES;
    install::programs(EMULATOR)?;
    guest::build(daemon)?;
    match package::fetch(release) {
        Err(error) if !in_ci() => {
            println!("SKIPPED Linux {}: {error:#}", release.name);
            return Ok(None);
        }
        fetched => fetched?,
    };
    let mut command = Command::new(env::current_exe()?);
    command.args(["kernels", "--ready", "--kernel", release.name]);
    Ok(Some(command))
}

/// Boots a kernel and runs the tests in it.
fn boot(kernel: &package::Kernel) -> Result<Outcome> {
    println!("booting {}", kernel.release);
    let start = Instant::now();
    let console = guest::boot(kernel, LIMIT)?;
    println!(
        "{} s; the console is in {}",
        start.elapsed().as_secs(),
        folder().join(format!("{}.log", kernel.name)).display()
    );
    Ok(Outcome::read(kernel, &console))
}
