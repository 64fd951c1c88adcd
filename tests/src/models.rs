//! The Python package that trains models, and small models that it makes for tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// The folder of the package.
#[must_use]
pub fn package() -> PathBuf {
    workspace().join("models")
}

/// The folder of the Python environment that `cargo xtask models`, `test` and `train` make.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("target/models-venv")
}

/// The Python interpreter in it.
#[must_use]
pub fn python() -> PathBuf {
    folder().join("bin/python")
}

/// The ONNX Runtime that `cargo xtask runtime` fetches.
#[must_use]
pub fn runtime() -> PathBuf {
    workspace().join("target/onnxruntime/libonnxruntime.so")
}

/// True if TensorFlow is in it too.
#[must_use]
pub fn has_keras() -> bool {
    folder().join("requirements-keras.txt").is_file()
}

/// Makes good and bad models in a folder, by `python -m wardtap_models fixture`; `models/README.md` names them.
///
/// # Errors
/// Without the environment, or when the command fails.
pub fn fixture(out: &Path, keras: bool) -> Result<()> {
    let mut command = Command::new(python());
    command
        .args(["-m", "wardtap_models", "fixture", "--out"])
        .arg(out);
    if keras {
        command.arg("--keras");
    }
    let Output { status, stderr, .. } = command
        .output()
        .with_context(|| format!("{}: run `cargo xtask models`", python().display()))?;
    if !status.success() {
        bail!(
            "models for tests: {status}: {}",
            String::from_utf8_lossy(&stderr)
        );
    }
    Ok(())
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}
