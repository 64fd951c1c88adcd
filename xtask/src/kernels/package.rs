//! Debian's kernels: downloaded by apt with lists of its own, and unpacked, never installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::workspace::{line, run, target};

/// Where packages, kernels and guests are.
pub(super) fn folder() -> PathBuf {
    target().join("kernels")
}

/// The package that depends on the newest kernel for virtual machines.
const PACKAGE: &str = "linux-image-cloud-amd64";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A kernel, by the suite that has it: its point releases come and go.
pub(crate) struct Release {
    pub name: &'static str,
    archive: &'static str,
    suite: &'static str,
}

/// The kernels that are tried, oldest first.
pub(crate) const RELEASES: [Release; 3] = [
    Release {
        name: "5.10",
        archive: "http://deb.debian.org/debian-security",
        suite: "bullseye-security",
    },
    Release {
        name: "6.1",
        archive: "http://deb.debian.org/debian",
        suite: "bookworm",
    },
    Release {
        name: "6.12",
        archive: "http://deb.debian.org/debian",
        suite: "bookworm-backports",
    },
];

/// A kernel that was unpacked.
pub(crate) struct Kernel {
    pub name: &'static str,
    /// What `uname -r` says in it.
    pub release: String,
    pub image: PathBuf,
    /// The folder of its modules.
    pub modules: PathBuf,
}

/// The kernel, downloaded once. A newer point release comes when its folder is removed.
pub(crate) fn fetch(release: &Release) -> Result<Kernel> {
    let unpacked = folder().join(release.name);
    if !unpacked.exists() {
        download(release, &unpacked)
            .with_context(|| format!("Linux {} from {}", release.name, release.suite))?;
    }
    let boot = unpacked.join("boot");
    let image = fs::read_dir(&boot)
        .with_context(|| boot.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().contains("/vmlinuz-"))
        .with_context(|| format!("no kernel in {}", boot.display()))?;
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let version = name.trim_start_matches("vmlinuz-").to_owned();
    Ok(Kernel {
        name: release.name,
        modules: unpacked.join("lib/modules").join(&version).join("kernel"),
        release: version,
        image,
    })
}

fn download(release: &Release, unpacked: &Path) -> Result<()> {
    let apt = folder().join("apt").join(release.name);
    for part in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(apt.join(part))?;
    }
    let Release { archive, suite, .. } = release;
    let source = format!("deb [signed-by={KEYRING}] {archive} {suite} main\n");
    fs::write(apt.join("sources.list"), source)?;

    run(tool("apt-get", &apt).args(["-qq", "update"]))?;
    let package = newest(&apt)?;
    println!("fetching {package} from Debian's {suite}, once: a kernel for a guest");
    run(tool("apt-get", &apt)
        .args(["-qq", "download", &package])
        .current_dir(apt.join("archives")))?;
    let file = fs::read_dir(apt.join("archives"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&package)
        })
        .with_context(|| format!("apt has put no {package} into {}", apt.display()))?;
    let new = unpacked.with_extension("new");
    let _ = fs::remove_dir_all(&new);
    run(Command::new("dpkg").arg("-x").arg(&file).arg(&new))?;
    fs::rename(&new, unpacked)?;
    fs::remove_dir_all(&apt)?;
    Ok(())
}

/// The package of the newest kernel in the suite.
fn newest(apt: &Path) -> Result<String> {
    let mut command = tool("apt-cache", apt);
    command.args(["depends", PACKAGE]);
    let output = command.output().with_context(|| line(&command))?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}: {said}", line(&command));
    said.lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
        .map(str::to_owned)
        .with_context(|| format!("{PACKAGE} depends on nothing: {said}"))
}

/// A program of apt's that knows nothing but `sources.list` in `apt`, and needs no root.
fn tool(program: &str, apt: &Path) -> Command {
    let mut command = Command::new(program);
    for (key, value) in [
        ("Dir::State", apt.to_owned()),
        ("Dir::State::status", "/dev/null".into()),
        ("Dir::State::lists", apt.join("lists")),
        ("Dir::Cache", apt.to_owned()),
        ("Dir::Etc::sourcelist", apt.join("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::Etc::preferences", "/dev/null".into()),
        ("Dir::Etc::preferencesparts", "/dev/null".into()),
        ("APT::Sandbox::User", "root".into()),
        ("APT::Architecture", "amd64".into()),
        ("Acquire::Languages", "none".into()),
    ] {
        command.arg("-o");
        command.arg(format!("{key}={}", value.display()));
    }
    command
}
