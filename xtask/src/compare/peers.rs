//! Other sensors, in a folder of their own: Debian's packages unpacked there, not installed, so that no service starts
//! and nothing of the system changes.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace::{output, run, target};

/// Suricata is in Debian 12's backports only.
const SOURCES: &str = "\
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm-backports main
";
const PACKAGES: [&str; 4] = ["suricata/bookworm-backports", "tshark", "softflowd", "time"];
/// Version of nfstream, from the Python package index.
const NFSTREAM: &str = "6.6.0";

/// Where the others are.
pub(super) struct Peers {
    folder: PathBuf,
}

impl Peers {
    /// Fetches what is missing.
    ///
    /// # Errors
    /// Without apt or the network, with what failed.
    pub(super) fn ensure() -> Result<Self> {
        let this = Self {
            folder: target().join("peers"),
        };
        if !this.folder.join("complete").is_file() {
            println!(
                "fetching Suricata, tshark, softflowd and nfstream {NFSTREAM} into {}, once: what is compared with",
                this.folder.display()
            );
            this.debian()?;
            this.python()?;
            this.rules()?;
            fs::write(this.folder.join("complete"), "")?;
        }
        Ok(this)
    }

    fn debian(&self) -> Result<()> {
        let folder = self.folder.display();
        for part in ["lists/partial", "archives/partial", "root"] {
            let path = self.folder.join(part);
            fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        }
        fs::write(self.folder.join("sources.list"), SOURCES)?;
        let settings = format!(
            "Dir::State::Lists \"{folder}/lists\";\nDir::Etc::SourceList \"{folder}/sources.list\";\n\
             Dir::Etc::SourceParts \"-\";\nDir::Cache \"{folder}\";\nDir::Cache::Archives \"{folder}/archives\";\n"
        );
        let configuration = self.folder.join("apt.conf");
        fs::write(&configuration, settings)?;
        let apt = |arguments: &[&str]| {
            run(Command::new("apt-get")
                .arg("-qq")
                .args(arguments)
                .env("APT_CONFIG", &configuration))
        };
        apt(&["update"])?;
        let fetch = [
            "install",
            "--download-only",
            "--yes",
            "--reinstall",
            "--no-install-recommends",
        ];
        apt(&[&fetch[..], &PACKAGES[..]].concat())?;
        for entry in fs::read_dir(self.folder.join("archives"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "deb") {
                run(Command::new("dpkg")
                    .arg("--extract")
                    .arg(&path)
                    .arg(self.root()))?;
            }
        }
        Ok(())
    }

    fn python(&self) -> Result<()> {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(self.folder.join("venv")))?;
        run(Command::new(self.folder.join("venv/bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .arg(format!("nfstream=={NFSTREAM}")))?;
        Ok(())
    }

    /// The rules of Suricata's package in one file.
    fn rules(&self) -> Result<()> {
        let mut all = String::new();
        let folder = self.root().join("etc/suricata/rules");
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            all.push_str(&fs::read_to_string(entry?.path())?);
        }
        Ok(fs::write(self.folder.join("package.rules"), all)?)
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// A file of theirs.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn libraries(&self) -> PathBuf {
        let folder = format!("usr/lib/{}-linux-gnu", env::consts::ARCH);
        self.root().join(folder)
    }

    /// Names and values that their programs need, being where they are not expected.
    pub(super) fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_LIBRARY_PATH", self.libraries()),
            ("WIRESHARK_DATA_DIR", self.file("root/usr/share/wireshark")),
            (
                "WIRESHARK_PLUGIN_DIR",
                self.libraries().join("wireshark/plugins"),
            ),
        ]
    }

    /// What a program of theirs says of its version: the first line with a digit.
    pub(super) fn version(&self, program: &Path, arguments: &[&str]) -> Result<String> {
        let said = Command::new(program)
            .args(arguments)
            .envs(self.environment())
            .output()
            .with_context(|| program.display().to_string())?;
        let text = [said.stdout, said.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let word = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let found = text.split_whitespace().find(word);
        match found {
            Some(version) => Ok(version.trim_end_matches('.').to_owned()),
            None => bail!("{} does not say its version: {text}", program.display()),
        }
    }

    /// The version of nfstream.
    pub(super) fn nfstream(&self) -> String {
        let ask: [&OsStr; 2] = [
            "-c".as_ref(),
            "import nfstream; print(nfstream.__version__)".as_ref(),
        ];
        let said = output(self.file("venv/bin/python"), &ask);
        said.map_or_else(|| NFSTREAM.to_owned(), |text| text.trim().to_owned())
    }
}
