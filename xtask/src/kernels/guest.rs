//! The guest: its file system, and its run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{program::Program, wait::wait_for};

use crate::workspace::{cargo_command, in_ci, line, output, run, which};

use super::package::{Kernel, folder};

/// The tests that `init.sh` runs.
const TESTS: [&str; 3] = ["verdict", "kernel", "attach"];
/// Modules that it loads, with their folders.
const MODULES: [&str; 4] = [
    "net/llc/llc.ko",
    "net/802/stp.ko",
    "net/bridge/bridge.ko",
    "drivers/net/veth.ko",
];
const INIT: &str = include_str!("init.sh");
/// Programs of this machine that the tests call.
const PROGRAMS: [&str; 2] = ["ip", "nsenter"];

/// Without `cmpxchg16b`: with it Linux 6.12 gets impossible flags from QEMU 7.2 and crashes, no kernel program being loaded
/// (5 of 6 boots; without it 0 of 6).
const CPU: &str = "max,-cx16";
/// No defence of a guest that is gone in a minute; nor a check of the timer, which an emulator on a busy machine may fail.
const ARGUMENTS: &str =
    "console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=0 no_timer_check oops=panic";

fn root() -> PathBuf {
    folder().join("root")
}

/// Builds what is the same for all kernels.
pub(crate) fn build(daemon: &Path) -> Result<()> {
    ensure!(
        std::env::consts::ARCH == "x86_64",
        "the guests run this machine's binaries, and their kernels are for x86_64"
    );
    let root = root();
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| root.display().to_string())?;
    }
    for part in [
        "bin", "dev", "modules", "proc", "run", "sys", "tests", "tmp", "usr/bin",
    ] {
        fs::create_dir_all(root.join(part))?;
    }
    let init = root.join("init");
    fs::write(&init, INIT)?;
    run(Command::new("chmod").arg("+x").arg(&init))?;

    let found = |name: &str| {
        which(name).with_context(|| format!("no {name} in PATH: install iproute2 and util-linux"))
    };
    let busybox = found("busybox")?;
    ensure!(
        libraries(&busybox).is_empty(),
        "{} is not static: install busybox-static",
        busybox.display()
    );
    fs::copy(busybox, root.join("bin/busybox"))?;
    let mut needed = BTreeSet::new();
    for name in PROGRAMS {
        let program = found(name)?;
        needed.extend(libraries(&program));
        fs::copy(program, root.join("usr/bin").join(name))?;
    }
    let mut binaries = tests()?;
    binaries.push(("wardtap".to_owned(), daemon.to_owned()));
    for (name, binary) in binaries {
        needed.extend(libraries(&binary));
        run(Command::new("strip")
            .args(["--strip-debug", "-o"])
            .arg(root.join("tests").join(name))
            .arg(binary))?;
    }
    for library in needed {
        let inside = root.join(library.strip_prefix("/")?);
        fs::create_dir_all(inside.parent().context("a library lies in a folder")?)?;
        fs::copy(&library, inside).with_context(|| library.display().to_string())?;
    }
    Ok(())
}

/// The shared libraries of a program, and its loader.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let said = output("ldd", &[program]).unwrap_or_default();
    said.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|word| word.trim_end_matches(':').into())
        .collect()
}

/// Builds the tests: names and binaries.
fn tests() -> Result<Vec<(String, PathBuf)>> {
    let mut command = cargo_command("test");
    // As all tests are built, so that these are there.
    command.args(["--workspace", "--no-run", "--quiet"]);
    command.arg("--message-format=json-render-diagnostics");
    for test in TESTS {
        command.args(["--test", test]);
    }
    if in_ci() {
        command.arg("--locked");
    }
    let built = command.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(built.status.success(), "{}", line(&command));
    let binaries: Vec<_> = String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|artifact| {
            let name = artifact["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(artifact["executable"].as_str()?)))
        })
        .filter(|(name, _)| TESTS.contains(&name.as_str()))
        .collect();
    ensure!(
        binaries.len() == TESTS.len(),
        "cargo has built {binaries:?} only"
    );
    Ok(binaries)
}

/// Boots `kernel`; what its console says until the guest ends, at most for `limit`.
pub(crate) fn boot(kernel: &Kernel, limit: Duration) -> Result<String> {
    let initramfs = pack(kernel)?;
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-accel", "tcg", "-cpu", CPU, "-smp", "1", "-m", "1536"])
        .args(["-display", "none", "-monitor", "none", "-serial", "stdio"])
        .args(["-nic", "none", "-no-reboot"])
        .args(["-append", ARGUMENTS])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(&initramfs);
    // Killed when dropped, and with this thread.
    let mut guest = Program::start(kernel.name, command, &folder())?;
    let ended = wait_for("the guest's end", limit, || guest.ended().transpose());
    let console = guest.log();
    if let Err(error) = ended {
        println!("{error:#}");
    }
    Ok(console)
}

/// The initial RAM file system with the kernel's modules.
fn pack(kernel: &Kernel) -> Result<PathBuf> {
    for module in MODULES {
        let from = kernel.modules.join(module);
        let name = from.file_name().unwrap_or_default();
        let to = root().join("modules").join(name);
        if from.is_file() {
            fs::copy(&from, &to)?;
        } else {
            // Linux 6.12 has them compressed.
            let script = "xz --decompress --stdout \"$1.xz\" > \"$2\"";
            run_in(&root(), script, &[&from, &to])?;
        }
    }
    let initramfs = folder().join("initramfs");
    let script = "find . | cpio --quiet -o -H newc -R 0:0 > \"$1\"";
    run_in(&root(), script, &[&initramfs])?;
    Ok(initramfs)
}

fn run_in(folder: &Path, script: &str, arguments: &[&Path]) -> Result<()> {
    run(Command::new("sh")
        .args(["-c", script, "sh"])
        .args(arguments)
        .current_dir(folder))
}
