//! The programs that talk in the test hospital.

use std::path::{Path, PathBuf};

/// The folder of the Python environment that `cargo xtask test` and `demo` make.
#[must_use]
pub fn python_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python")
}

/// The Python interpreter that has python-hl7.
#[must_use]
pub fn python() -> PathBuf {
    python_folder().join("bin/python")
}
