//! Building the kernel programs, and the daemon that carries them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    toolchain::{self, Compiler},
    workspace::{bound_jobs, cargo_command, in_ci, root, run, target},
};

/// Cargo's name for the kernel's target.
const TARGET: &str = "bpfel-unknown-none";
/// The binaries of `sensor-ebpf`, and the objects that they become in `target/bpf`.
const OBJECTS: [(&str, &str); 2] = [
    ("wardtap-bpf", "wardtap.bpf.o"),
    ("wardtap-bench-bpf", "wardtap-bench.bpf.o"),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build the daemon optimised
    #[arg(long)]
    release: bool,
    /// Build the kernel programs only
    #[arg(long)]
    kernel_only: bool,
}

/// `cargo xtask build`.
pub(crate) fn build(arguments: &Arguments) -> Result<()> {
    objects()?;
    if arguments.kernel_only {
        return Ok(());
    }
    let binary = daemon(arguments.release)?;
    println!("built {}", binary.display());
    Ok(())
}

/// Builds the kernel programs; the folder of their objects.
pub(crate) fn objects() -> Result<PathBuf> {
    let toolchain = toolchain::ensure()?;
    // The host parts of the build (procedural macros) are compiled by another compiler than the
    // workspace's: in a folder of their own the two don't undo each other's work.
    let work = target().join("bpf-build");
    let flags = [
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        // 32-bit instructions and jumps (Linux 5.1).
        "-Ctarget-cpu=v3".to_owned(),
        format!("-Clinker={}", toolchain.linker.display()),
    ];
    let mut command = Command::new(&toolchain.compiler.cargo);
    command
        .args([
            "build",
            "--quiet",
            "--package",
            "sensor-ebpf",
            "--bins",
            "--release",
        ])
        .args(["--target", TARGET, "-Z", "build-std=core"])
        .arg("--target-dir")
        .arg(&work)
        .current_dir(root())
        .env("RUSTC", &toolchain.compiler.rustc)
        // `-Z` flags on a compiler that is not a nightly.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env("LD_LIBRARY_PATH", llvm_folder(&work, &toolchain.compiler)?)
        // Set by rustup for the workspace's own compiler.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    if in_ci() {
        command.arg("--locked");
    }
    bound_jobs(&mut command);
    println!(
        "building the kernel programs with {}",
        toolchain.compiler.version
    );
    run(&mut command)?;

    let folder = target().join("bpf");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (binary, object) in OBJECTS {
        let built = work.join(TARGET).join("release").join(binary);
        let bytes = fs::read(&built).with_context(|| built.display().to_string())?;
        let path = folder.join(object);
        // A new time stamp alone would make cargo build the daemon again.
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::write(&path, &bytes).with_context(|| path.display().to_string())?;
        }
    }
    Ok(folder)
}

/// A folder with the compiler's LLVM and nothing else. bpf-linker takes the first `libLLVM*` of the
/// folders in `LD_LIBRARY_PATH`, and the system's folder can hold several versions.
fn llvm_folder(work: &Path, compiler: &Compiler) -> Result<PathBuf> {
    let folder = work.join("llvm");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for entry in fs::read_dir(&folder)? {
        fs::remove_file(entry?.path())?;
    }
    let name = compiler.llvm.file_name().context("LLVM has no file name")?;
    symlink(&compiler.llvm, folder.join(name))?;
    Ok(folder)
}

/// Builds the daemon, kernel programs inside; its path.
pub(crate) fn daemon(release: bool) -> Result<PathBuf> {
    let mut command = cargo_command("build");
    command.args(["--quiet", "--package", "sensor", "--bins"]);
    if release {
        command.arg("--release");
    }
    if in_ci() {
        command.arg("--locked");
    }
    run(&mut command)?;
    Ok(target()
        .join(if release { "release" } else { "debug" })
        .join("wardtap"))
}
