//! What has to be on the machine, and putting it there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use nix::unistd::geteuid;

use crate::workspace::{bound_jobs, cargo, line, output, run, target, which};

/// What the tests need of the Python package index, with the modules that show that it is there.
const PYTHON: [&str; 4] = [
    "hl7==0.4.5",
    "duckdb==2.0.1",
    "pynetdicom==3.0.4",
    "hl7apy==1.3.5",
];
/// The attack tools of the live evaluation, and what its scripts use.
const LIVE_PYTHON: [&str; 5] = [
    "impacket==0.13.1",
    "mitm6==0.3.0",
    "smbprotocol==1.17.0",
    "scapy==2.8.0",
    "hl7==0.4.5",
];
const MODULES: &str = "duckdb, hl7, hl7.mllp, hl7apy.mllp, pynetdicom";

/// A program that is looked for in `PATH`, and the Debian package that brings it.
pub(crate) struct Program {
    /// File name of the program.
    pub name: &'static str,
    /// The Debian package that it is in.
    pub package: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// What the tests and the demo run.
pub(crate) const PEERS: &[Program] = &[
    Program {
        name: "ip",
        package: "iproute2",
        purpose: "network namespaces of the test hospital",
    },
    Program {
        name: "tc",
        package: "iproute2",
        purpose: "the mirror port of the test hospital",
    },
    Program {
        name: "sysctl",
        package: "procps",
        purpose: "TCP in the test hospital gives up in time",
    },
    Program {
        name: "ping",
        package: "iputils-ping",
        purpose: "ICMP in the test hospital",
    },
    Program {
        name: "storescp",
        package: "dcmtk",
        purpose: "DICOM peers of the test hospital",
    },
    Program {
        name: "openssl",
        package: "openssl",
        purpose: "certificates for DICOM over TLS",
    },
    Program {
        name: "tmux",
        package: "tmux",
        purpose: "a terminal for the test of the live view",
    },
];

/// What the tests run beside them.
pub(crate) const RECEIVERS: &[Program] = &[
    Program {
        name: "rsyslogd",
        package: "rsyslog",
        purpose: "a receiver of syslog",
    },
    Program {
        // Not a program; its path is absolute and so found where it is.
        name: if cfg!(target_arch = "aarch64") {
            "/usr/lib/aarch64-linux-gnu/rsyslog/lmnsd_gtls.so"
        } else {
            "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so"
        },
        package: "rsyslog-gnutls",
        purpose: "its TLS",
    },
];

/// Installs the programs that are missing.
pub(crate) fn programs(wanted: &[Program]) -> Result<()> {
    let missing: Vec<_> = wanted
        .iter()
        .filter(|program| which(program.name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for program in &missing {
        println!(
            "installing {}: {} is for {}",
            program.package, program.name, program.purpose
        );
    }
    let mut packages: Vec<_> = missing.iter().map(|program| program.package).collect();
    packages.dedup();
    debian_packages(&packages)
}

/// Installs Debian packages.
///
/// # Errors
/// Without root or apt, with the command that a person has to run.
pub(crate) fn debian_packages(packages: &[&str]) -> Result<()> {
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    if which("apt-get").is_none() {
        bail!(
            "there is no apt-get here: install what Debian calls {} by hand",
            packages.join(", ")
        );
    }
    if !geteuid().is_root() {
        bail!(
            "missing {}; run: sudo {}",
            packages.join(", "),
            line(&install)
        );
    }
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    // Its progress is of no interest; what goes wrong it says on the other channel.
    run(install.stdout(Stdio::null()))
}

/// Prometheus, for the tests: unpacked and not installed, since Debian's package would start it as a service.
pub(crate) fn prometheus() -> Result<()> {
    if tests::prometheus::program(tests::prometheus::SERVER).is_some() {
        return Ok(());
    }
    let folder = tests::prometheus::folder();
    println!(
        "fetching prometheus into {}: it scrapes the daemon in the tests, and checks alert rules",
        folder.display()
    );
    unpack(&folder, &["prometheus".to_owned()])
}

/// Orthanc, a receiver of images, unpacked as Prometheus is, with the libraries that it brings.
pub(crate) fn orthanc() -> Result<()> {
    let folder = target().join("orthanc");
    if folder.join("usr/sbin/Orthanc").is_file() || !debian_has("orthanc") {
        return Ok(());
    }
    println!(
        "fetching orthanc into {}: it receives images in the tests",
        folder.display()
    );
    // What apt would install, which is what is not here.
    let plan = output(
        "apt-get",
        &["install", "-s", "--no-install-recommends", "orthanc"],
    );
    let packages: Vec<String> = plan
        .unwrap_or_default()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("Inst ")?.split(' ').next()?.to_owned()))
        .collect();
    unpack(&folder, &packages)
}

/// Debian packages' files in a folder of their own.
fn unpack(folder: &Path, packages: &[String]) -> Result<()> {
    fs::create_dir_all(folder)?;
    run(Command::new("apt-get")
        .args(["-qq", "download"])
        .args(packages)
        .current_dir(folder))?;
    run(Command::new("sh")
        .args([
            "-euc",
            "for package in *.deb; do dpkg-deb --extract \"$package\" .; done; rm ./*.deb",
        ])
        .current_dir(folder))
}

/// True if apt knows the package.
pub(crate) fn debian_has(package: &str) -> bool {
    output("apt-cache", &["show", package]).is_some_and(|text| !text.is_empty())
}

/// `cargo install` of one version, as its authors locked it.
pub(crate) fn cargo_package(name: &str, version: &str, purpose: &str) -> Result<()> {
    println!("installing {name} {version} with cargo install, once: {purpose}");
    let mut install = Command::new(cargo());
    install.args(["install", name, "--version", version, "--locked", "--quiet"]);
    // In a folder of its own: the workspace's configuration is not for other people's packages.
    install.current_dir("/");
    bound_jobs(&mut install);
    run(&mut install)
}

/// The programs of the live evaluation that Debian has and that are missing; which of them Debian does not have. Their services
/// are not started.
pub(crate) fn live(wanted: &[(&'static str, &'static str)]) -> Result<Vec<&'static str>> {
    let here = |name: &str| which(name).is_some() || Path::new("/usr/sbin").join(name).is_file();
    let missing = wanted.iter().filter(|(name, _)| !here(name));
    let (mut packages, unknown): (Vec<_>, Vec<_>) = missing
        .map(|(_, package)| *package)
        .partition(|package| debian_has(package));
    packages.sort_unstable();
    packages.dedup();
    if !packages.is_empty() {
        println!(
            "installing {}: the live evaluation runs them",
            packages.join(", ")
        );
        without_services(|| debian_packages(&packages))?;
    }
    Ok(unknown)
}

/// Installs without starting what is installed (`policy-rc.d`, Debian Policy 9.3.3).
fn without_services(install: impl FnOnce() -> Result<()>) -> Result<()> {
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let ours = !policy.exists() && geteuid().is_root();
    if ours {
        fs::write(policy, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
    }
    let done = install();
    if ours {
        fs::remove_file(policy)?;
    }
    done
}

/// The attack tools of the Python package index; the folder of their programs.
pub(crate) fn live_python() -> Result<PathBuf> {
    let folder = target().join("live-venv");
    let ready = folder.join("complete");
    let wanted = LIVE_PYTHON.join(" ");
    if fs::read_to_string(&ready).is_ok_and(|text| text == wanted) {
        return Ok(folder.join("bin"));
    }
    println!(
        "installing {wanted} into {}: attack tools",
        folder.display()
    );
    venv(&folder, &LIVE_PYTHON)?;
    fs::write(ready, wanted)?;
    Ok(folder.join("bin"))
}

/// The version of python-hl7 that is here, with the other modules.
pub(crate) fn python_version() -> Option<String> {
    let ask = format!("import {MODULES}; print(hl7.__version__)");
    output(tests::hl7::python(), &["-c", &ask]).map(|text| text.trim().to_owned())
}

/// A Python environment with python-hl7, whose MLLP client and server are the HL7 peers of the tests
/// and the demo; with `DuckDB`, which reads the store's files of flows; and with the receivers of the differential test.
pub(crate) fn python() -> Result<()> {
    let folder = tests::hl7::python_folder();
    if python_version().is_some() {
        return Ok(());
    }
    println!(
        "installing {} into {}: peers of the test hospital",
        PYTHON.join(", "),
        folder.display()
    );
    venv(&folder, &PYTHON)
}

/// Makes a Python environment with packages in it.
fn venv(folder: &Path, packages: &[&str]) -> Result<()> {
    let usable = |python: &str| output(python, &["-c", "import venv, ensurepip"]).is_some();
    if !usable("python3") {
        debian_packages(&["python3", "python3-venv"])?;
    }
    let base = if usable("python3") {
        "python3"
    } else {
        "/usr/bin/python3"
    };
    run(Command::new(base)
        .args(["-m", "venv", "--clear"])
        .arg(folder))?;
    run(Command::new(folder.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(packages))
}
