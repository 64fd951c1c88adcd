//! `cargo xtask dist`: the Debian package.
//!
//! The folder of what it installs is laid out here and packed by `dpkg-deb`: half of the files are made by the binary
//! itself (manual pages, completions, configuration), and the scripts are short enough to be read as they are.

mod notices;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    ebpf,
    install::{self, Program},
    runtime,
    workspace::{cargo_command, root, run, target},
};
use tree::Tree;

/// What makes the package, and its test machine.
const TOOLS: &[Program] = &[
    Program {
        name: "dpkg-shlibdeps",
        package: "dpkg-dev",
        purpose: "libraries that the package depends on",
    },
    Program {
        name: "strip",
        package: "binutils",
        purpose: "binaries without what a debugger needs",
    },
];

/// Looks for what is wrong with Debian packages.
const LINTIAN: Program = Program {
    name: "lintian",
    package: "lintian",
    purpose: "what Debian's policy asks of a package",
};

/// Makes a root file system of Debian.
const DEBOOTSTRAP: Program = Program {
    name: "debootstrap",
    package: "debootstrap",
    purpose: "a clean Debian to install the package in",
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Pack the debug build: quicker to make, larger, and not for use
    #[arg(long)]
    debug: bool,
    /// Install, run, upgrade, remove and purge it in a clean Debian with systemd
    #[arg(long)]
    check: bool,
}

/// `cargo xtask dist`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    let package = build(arguments.debug)?;
    println!("built {}", package.display());
    if arguments.check {
        lint(&package)?;
        check(&package)?;
    }
    Ok(())
}

/// Folder of packages and of what tests them.
fn folder() -> PathBuf {
    target().join("dist")
}

/// Builds the package; its path.
fn build(debug: bool) -> Result<PathBuf> {
    install::programs(TOOLS)?;
    let runtime = runtime::fetch()?;
    ebpf::objects()?;
    let binary = ebpf::daemon(!debug)?;
    let changelog = Changelog::read(&root().join("packaging/deb/changelog"))?;
    ensure!(
        changelog.version == env!("CARGO_PKG_VERSION"),
        "packaging/deb/changelog begins with version {}, the workspace has {}: say there what is new",
        changelog.version,
        env!("CARGO_PKG_VERSION")
    );
    let tree = Tree::new(&folder().join("tree"))?;
    tree.lay_out(&binary, &runtime, &notices::text()?)?;
    tree.control(&changelog.version)?;
    let folder = if debug {
        folder().join("debug")
    } else {
        folder()
    };
    fs::create_dir_all(&folder)?;
    let architecture = tree::architecture()?;
    let package = folder.join(format!("wardtap_{}_{architecture}.deb", changelog.version));
    // The time of each file is that of the changelog at most: the same sources make the same package.
    run(Command::new("dpkg-deb")
        .env("SOURCE_DATE_EPOCH", &changelog.time)
        .args(["--root-owner-group", "--build"])
        // Packing a debug build well takes longer than building it.
        .args(if debug { &["-Zgzip", "-z1"][..] } else { &[] })
        .arg(tree.root())
        .arg(&package)
        .stdout(std::process::Stdio::null()))?;
    Ok(package)
}

/// The newest entry of the changelog.
struct Changelog {
    version: String,
    /// Seconds since 1970.
    time: String,
}

impl Changelog {
    fn read(path: &Path) -> Result<Self> {
        let field = |name| {
            let output = Command::new("dpkg-parsechangelog")
                .arg("-l")
                .arg(path)
                .args(["-S", name])
                .output()
                .context("can't start dpkg-parsechangelog")?;
            ensure!(
                output.status.success(),
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        Ok(Self {
            version: field("Version")?,
            time: field("Timestamp")?,
        })
    }
}

/// Has Debian's own checker look at the package.
fn lint(package: &Path) -> Result<()> {
    install::programs(&[LINTIAN])?;
    println!("lintian");
    run(Command::new("lintian")
        .args(["--allow-root", "--fail-on", "error,warning"])
        .arg(package))
    .context("lintian finds fault with the package")
}

/// Tests the package in a clean Debian, made once.
fn check(package: &Path) -> Result<()> {
    install::programs(&[DEBOOTSTRAP])?;
    let image = tests::machine::image();
    if !image.is_file() {
        println!(
            "making a clean Debian in {}, once: two minutes, 90 MB",
            image.display()
        );
        debootstrap(&image)?;
    }
    run(cargo_command("test")
        .args(["--quiet", "--package", "tests", "--test", "package"])
        .args(["--", "--ignored", "--nocapture"])
        .env(tests::machine::PACKAGE, package))
}

fn debootstrap(image: &Path) -> Result<()> {
    let root = folder().join("debootstrap");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| root.display().to_string())?;
    }
    run(Command::new("debootstrap")
        .args(["--variant=minbase", "--include"])
        .arg(tests::machine::PACKAGES)
        .arg(tests::machine::SUITE)
        .arg(&root)
        .stdout(std::process::Stdio::null()))?;
    let new = image.with_extension("new");
    run(Command::new("tar")
        .args(["--create", "--one-file-system", "--directory"])
        .arg(&root)
        .arg("--exclude=./var/cache/apt/archives/*.deb")
        .arg("--file")
        .arg(&new)
        .arg("."))?;
    fs::rename(&new, image)?;
    fs::remove_dir_all(&root)?;
    Ok(())
}
