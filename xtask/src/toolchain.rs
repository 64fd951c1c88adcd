//! The compiler and the linker of the kernel programs.
//!
//! Their target, `bpfel-unknown-none`, has no compiled `core`: it is built from its sources, which a
//! compiler has to bring along. Two kinds do: a rustup toolchain with the component `rust-src`, and
//! Debian's `rustc-web` with `rust-web-src`. What is there is used; what is missing is installed.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::{
    install,
    workspace::{cargo, output, run, which},
};

/// LLVM's major version that the linker is made for. It has none of its own: it loads the compiler's.
const LLVM: &str = "22";
/// The toolchain that is installed where rustup can download.
const NIGHTLY: &str = "nightly-2026-05-20";
const LINKER: &str = "bpf-linker";
const LINKER_VERSION: &str = "0.10.1";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// A compiler that can build `core`.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// The path of `rustc`.
    pub rustc: PathBuf,
    /// The cargo to run it with.
    pub cargo: PathBuf,
    /// Its LLVM, a shared library.
    pub llvm: PathBuf,
    /// What `rustc --version` says.
    pub version: String,
}

/// The compiler and the linker for the kernel programs.
pub(crate) struct Toolchain {
    pub compiler: Compiler,
    pub linker: PathBuf,
}

/// The toolchain, installed if need be.
pub(crate) fn ensure() -> Result<Toolchain> {
    let compiler = match compiler() {
        Some(compiler) => compiler,
        None => install_compiler()?,
    };
    let linker = match linker() {
        Some(linker) => linker,
        None => install_linker()?,
    };
    Ok(Toolchain { compiler, linker })
}

/// The first compiler here with the sources of `core` and the right LLVM.
pub(crate) fn compiler() -> Option<Compiler> {
    rustup_compilers()
        .into_iter()
        .chain([PathBuf::from(DEBIAN_RUSTC)])
        .find_map(|rustc| inspect(&rustc))
}

/// `rustc` of the pinned nightly and of the newest one, where rustup has them.
fn rustup_compilers() -> Vec<PathBuf> {
    let installed = output("rustup", &["toolchain", "list"]).unwrap_or_default();
    [NIGHTLY, "nightly"]
        .into_iter()
        .filter(|name| {
            installed
                .lines()
                .any(|line| line.strip_prefix(name).is_some_and(is_host_suffix))
        })
        .filter_map(|name| output("rustup", &["which", "rustc", "--toolchain", name]))
        .map(|path| PathBuf::from(path.trim()))
        .collect()
}

/// True if a name in rustup's list goes on with the host's triple and not with a date.
fn is_host_suffix(rest: &str) -> bool {
    !rest
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn inspect(rustc: &Path) -> Option<Compiler> {
    let sysroot = PathBuf::from(output(rustc, &["--print", "sysroot"])?.trim());
    if !sysroot
        .join("lib/rustlib/src/rust/library/core/Cargo.toml")
        .is_file()
    {
        return None;
    }
    let verbose = output(rustc, &["-vV"])?;
    let version = verbose
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    if version.split('.').next() != Some(LLVM) {
        return None;
    }
    let libraries = output("ldd", &[rustc])?;
    let llvm = libraries
        .lines()
        .filter(|line| line.contains("libLLVM"))
        .find_map(|line| line.split_once("=> ")?.1.split_whitespace().next())?;
    // A toolchain's own cargo knows how to build its `core`. The one in /usr/bin may be years older
    // than the compiler beside it.
    let own = sysroot.join("bin/cargo");
    Some(Compiler {
        rustc: rustc.to_owned(),
        cargo: if own.is_file() && rustc != Path::new(DEBIAN_RUSTC) {
            own
        } else {
            cargo()
        },
        llvm: llvm.into(),
        version: verbose.lines().next()?.to_owned(),
    })
}

fn install_compiler() -> Result<Compiler> {
    let debian = which("apt-get").is_some();
    let rustup = which("rustup").is_some();
    if debian && geteuid().is_root() {
        println!(
            "installing {}: no compiler here brings the sources of `core`, which the kernel programs need",
            DEBIAN_PACKAGES.join(" and ")
        );
        match install::debian_packages(&DEBIAN_PACKAGES) {
            Ok(()) => {}
            Err(error) if rustup => {
                eprintln!("{error:#}; trying rustup");
                install_nightly()?;
            }
            Err(error) => return Err(error),
        }
    } else if rustup {
        install_nightly().with_context(|| {
            format!(
                "without rustup's servers, on Debian: sudo apt-get install {}",
                DEBIAN_PACKAGES.join(" ")
            )
        })?;
    } else {
        bail!(
            "no compiler for the kernel programs: install rustup, or on Debian run: \
             sudo apt-get install {}",
            DEBIAN_PACKAGES.join(" ")
        );
    }
    compiler().with_context(|| {
        format!("the compiler that was installed has no sources of `core`, or not LLVM {LLVM} as a shared library")
    })
}

fn install_nightly() -> Result<()> {
    println!(
        "installing {NIGHTLY} with rust-src by rustup: the kernel programs need a compiler with the \
         sources of `core`"
    );
    run(Command::new("rustup")
        .args(["toolchain", "install", NIGHTLY, "--profile", "minimal"])
        .args(["--component", "rust-src"]))
}

/// The linker, if it is here in the version that fits.
pub(crate) fn linker() -> Option<PathBuf> {
    let installed = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
        .map(|home| home.join("bin").join(LINKER));
    which(LINKER).into_iter().chain(installed).find(|path| {
        output(path, &["--version"])
            .is_some_and(|text| text.split_whitespace().nth(1) == Some(LINKER_VERSION))
    })
}

fn install_linker() -> Result<PathBuf> {
    install::cargo_package(
        LINKER,
        LINKER_VERSION,
        "it links the kernel programs; about two minutes",
    )?;
    linker().with_context(|| {
        format!("{LINKER} {LINKER_VERSION} is not first in PATH: is another version there?")
    })
}
