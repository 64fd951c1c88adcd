//! What the package installs, and where.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::workspace::{output, root, run};

/// Files of the workspace, and where they go.
const FILES: &[(&str, &str)] = &[
    (
        "packaging/systemd/wardtap.service",
        "lib/systemd/system/wardtap.service",
    ),
    ("packaging/deb/copyright", "usr/share/doc/wardtap/copyright"),
    (
        "packaging/deb/lintian-overrides",
        "usr/share/lintian/overrides/wardtap",
    ),
    (
        "packaging/grafana/wardtap.json",
        "usr/share/wardtap/grafana/wardtap.json",
    ),
    (
        "packaging/prometheus/wardtap.rules.yml",
        "usr/share/wardtap/prometheus/wardtap.rules.yml",
    ),
    ("models/flow-v1.onnx", "usr/lib/wardtap/models/flow-v1.onnx"),
    (
        "models/flow-v1.manifest.json",
        "usr/lib/wardtap/models/flow-v1.manifest.json",
    ),
    (
        "models/flow-v1.card.md",
        "usr/lib/wardtap/models/flow-v1.card.md",
    ),
    (
        "models/windows-v1.onnx",
        "usr/lib/wardtap/models/windows-v1.onnx",
    ),
    (
        "models/windows-v1.manifest.json",
        "usr/lib/wardtap/models/windows-v1.manifest.json",
    ),
];

/// Programs of the workspace.
const PROGRAMS: &[(&str, &str)] = &[("packaging/systemd/prepare", "usr/lib/wardtap/prepare")];

/// Scripts that dpkg runs when it installs and removes the package.
const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];

/// Files that are the administrator's once they are installed.
const CONFFILES: &[&str] = &["/etc/wardtap/wardtap.toml"];

/// Where each shell looks for completions.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/wardtap"),
    ("zsh", "usr/share/zsh/vendor-completions/_wardtap"),
    ("fish", "usr/share/fish/vendor_completions.d/wardtap.fish"),
];

const BINARY: &str = "usr/bin/wardtap";
const RUNTIME: &str = "usr/lib/wardtap/libonnxruntime.so";
const DOC: &str = "usr/share/doc/wardtap";

/// Modes of files and of programs; folders have the latter.
const FILE: u32 = 0o644;
const PROGRAM: u32 = 0o755;

/// Debian's name for this machine's architecture.
pub(super) fn architecture() -> Result<String> {
    let name = output("dpkg", &["--print-architecture"]).context("no dpkg")?;
    Ok(name.trim().to_owned())
}

/// A folder that becomes a package.
pub(super) struct Tree(PathBuf);

impl Tree {
    /// An empty folder for the package.
    pub(super) fn new(root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root).with_context(|| root.display().to_string())?;
        }
        fs::create_dir_all(root).with_context(|| root.display().to_string())?;
        Ok(Self(root.to_owned()))
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    /// Puts everything but the control files in place.
    pub(super) fn lay_out(&self, binary: &Path, runtime: &Path, notices: &str) -> Result<()> {
        for (from, to) in FILES {
            self.copy(&root().join(from), to, FILE)?;
        }
        for (from, to) in PROGRAMS {
            self.copy(&root().join(from), to, PROGRAM)?;
        }
        self.copy(binary, BINARY, PROGRAM)?;
        self.copy(runtime, RUNTIME, FILE)?;
        run(Command::new("strip")
            .args(["--strip-unneeded", "--remove-section=.comment"])
            .args([self.0.join(BINARY), self.0.join(RUNTIME)]))?;
        self.made_by_itself(binary)?;
        self.documents(runtime, notices)?;
        modes(&self.0)
    }

    /// What the binary prints of itself.
    fn made_by_itself(&self, binary: &Path) -> Result<()> {
        let printed = |arguments: &[&str]| {
            output(binary, arguments)
                .with_context(|| format!("wardtap {} fails", arguments.join(" ")))
        };
        self.write(
            "etc/wardtap/wardtap.toml",
            &printed(&["config", "default"])?,
        )?;
        for (shell, to) in COMPLETIONS {
            self.write(to, &printed(&["completions", shell])?)?;
        }
        let pages = self.0.join("usr/share/man/man1");
        run(Command::new(binary).arg("man").arg(&pages))?;
        for page in files(&pages)? {
            compress(&page)?;
        }
        Ok(())
    }

    fn documents(&self, runtime: &Path, notices: &str) -> Result<()> {
        for page in files(&root().join("docs"))? {
            let name = page.file_name().context("a page without a name")?;
            self.copy(&page, Path::new(DOC).join(name), FILE)?;
        }
        let beside = runtime.parent().context("a library without a folder")?;
        for name in crate::runtime::NOTICES {
            self.copy(
                &beside.join(name),
                Path::new(DOC).join("onnxruntime").join(name),
                FILE,
            )?;
        }
        let changelog = Path::new(DOC).join("changelog");
        self.copy(&root().join("packaging/deb/changelog"), &changelog, FILE)?;
        compress(&self.0.join(changelog))?;
        let third = Path::new(DOC).join("THIRD-PARTY.txt");
        self.write(&third, notices)?;
        compress(&self.0.join(third))
    }

    /// Writes what dpkg reads.
    pub(super) fn control(&self, version: &str) -> Result<()> {
        let size = size(&self.0)?;
        let template = fs::read_to_string(root().join("packaging/deb/control"))?;
        let control = template
            .replace("@VERSION@", version)
            .replace("@ARCHITECTURE@", &architecture()?)
            .replace("@INSTALLED_SIZE@", &size.div_ceil(1024).to_string())
            .replace("@DEPENDS@", &self.libraries()?);
        let sums = self.sums()?;
        self.write("DEBIAN/control", &control)?;
        self.write("DEBIAN/conffiles", &lines(CONFFILES))?;
        self.write("DEBIAN/md5sums", &sums)?;
        for script in SCRIPTS {
            let from = root().join("packaging/deb").join(script);
            self.copy(&from, Path::new("DEBIAN").join(script), PROGRAM)?;
        }
        Ok(())
    }

    /// The packages of the libraries that binary and runtime are linked with, as a field's value.
    fn libraries(&self) -> Result<String> {
        // It wants to be in a source package.
        let work = self.0.with_extension("shlibdeps");
        fs::create_dir_all(work.join("debian"))?;
        fs::write(
            work.join("debian/control"),
            "Source: wardtap\n\nPackage: wardtap\nArchitecture: any\n",
        )?;
        let output = Command::new("dpkg-shlibdeps")
            .arg("-O")
            .args([self.0.join(BINARY), self.0.join(RUNTIME)])
            .current_dir(&work)
            .output()
            .context("can't start dpkg-shlibdeps")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let value = text.trim().strip_prefix("shlibs:Depends=");
        ensure!(
            output.status.success() && value.is_some(),
            "dpkg-shlibdeps: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::remove_dir_all(&work)?;
        Ok(value.unwrap_or_default().to_owned())
    }

    /// `md5sum` of each file but the conffiles, as `dpkg --verify` reads it.
    fn sums(&self) -> Result<String> {
        let script = "find . -type f ! -path './etc/*' ! -path './DEBIAN/*' -printf '%P\\0' | sort -z | xargs -0 md5sum";
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(&self.0)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "md5sum fails");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn write(&self, to: impl AsRef<Path>, text: &str) -> Result<()> {
        let path = self.place(to.as_ref())?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        mode(&path, FILE)
    }

    fn copy(&self, from: &Path, to: impl AsRef<Path>, permissions: u32) -> Result<()> {
        let path = self.place(to.as_ref())?;
        fs::copy(from, &path).with_context(|| from.display().to_string())?;
        mode(&path, permissions)
    }

    /// Makes the folders for a file.
    fn place(&self, to: &Path) -> Result<PathBuf> {
        let path = self.0.join(to);
        let folder = path.parent().context("a file without a folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(path)
    }
}

fn mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| path.display().to_string())
}

/// The files of a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Without name and time in it, so that it is the same each time.
fn compress(path: &Path) -> Result<()> {
    run(Command::new("gzip")
        .args(["--best", "--no-name", "--force"])
        .arg(path))
}

fn lines(of: &[&str]) -> String {
    of.iter().flat_map(|line| [line, "\n"]).collect()
}

/// Bytes of all files.
fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let meta = fs::symlink_metadata(&path)?;
        sum += if meta.is_dir() {
            size(&path)?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}

/// Folders are open to all, whatever the umask of who builds.
fn modes(folder: &Path) -> Result<()> {
    mode(folder, PROGRAM)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            modes(&path)?;
        } else if fs::metadata(&path)?.permissions().mode() & 0o111 == 0 {
            mode(&path, FILE)?;
        }
    }
    Ok(())
}
