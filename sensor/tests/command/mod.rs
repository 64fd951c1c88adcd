//! The real binary, run as a user runs it.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod answering;

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{self, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// What a command said.
#[derive(Debug)]
pub(crate) struct Done {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) error: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The binary's path.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_wardtap");

/// Runs `wardtap` with `arguments`.
pub(crate) fn wardtap(arguments: &[&str]) -> io::Result<Done> {
    with_input(arguments, "")
}

/// Runs `wardtap` with `arguments` and `input` on standard input.
pub(crate) fn with_input(arguments: &[&str], input: &str) -> io::Result<Done> {
    run(Command::new(BINARY).args(arguments), input)
}

/// Runs `wardtap` at `binary` as the user nobody, without capabilities.
pub(crate) fn as_nobody(binary: &Path, arguments: &[&str]) -> io::Result<Done> {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(binary)
        .args(arguments);
    run(&mut command, "")
}

fn run(command: &mut Command, input: &str) -> io::Result<Done> {
    let mut child = command
        .env_remove("RUST_LOG")
        .env_remove("WARDTAP_SOCKET")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that reads nothing may be gone already.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().map(Done::from)
}

/// A folder of a test, which all may read; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub(crate) fn new() -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("wardtap-test-{}-{number}", process::id()));
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
