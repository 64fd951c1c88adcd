//! Where the programs of Prometheus are.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The name of the server's program.
pub const SERVER: &str = "prometheus";
/// The checker of rules.
pub const TOOL: &str = "promtool";

/// Where `cargo xtask test` unpacks it.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/prometheus")
}

/// One of its programs, in `PATH` or there.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .chain([folder().join("usr/bin")])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
