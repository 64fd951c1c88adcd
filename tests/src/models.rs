//! The Python package that trains models, and small models that it makes for tests.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Output},
};

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

/// The folder of the fixture's models, made when the package has changed since. Keras's is among them where TensorFlow is
/// here. Only one process makes them at a time, as test binaries run side by side.
///
/// # Errors
/// As [`fixture`], and when the lock file can't be used.
pub fn made() -> Result<PathBuf> {
    made_in(&workspace().join("target/models"))
}

/// As [`made`], in the folder `fixture` of another folder.
///
/// # Errors
/// As [`made`].
pub fn made_in(parent: &Path) -> Result<PathBuf> {
    fs::create_dir_all(parent)?;
    let lock = parent.join("fixture.lock");
    let lock = File::create(&lock).with_context(|| lock.display().to_string())?;
    lock.lock()?;
    let mut hasher = DefaultHasher::new();
    has_keras().hash(&mut hasher);
    let mut sources: Vec<PathBuf> = fs::read_dir(package().join("wardtap_models"))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    sources.sort();
    for source in sources {
        fs::read(source)?.hash(&mut hasher);
    }
    let state = format!("{:016x}", hasher.finish());
    let folder = parent.join("fixture");
    let stamp = folder.join("state");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == state) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fixture(&folder, has_keras())?;
    fs::write(stamp, state)?;
    Ok(folder)
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}
