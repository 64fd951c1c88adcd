//! The Python package that trains models: its environment, and the model that ships.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{
    install,
    workspace::{output, root, run},
};

/// `cargo xtask models`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// With TensorFlow, for Keras models
    #[arg(long)]
    keras: bool,
}

/// Makes the environment and says how to use it.
pub(crate) fn prepare(arguments: &Arguments) -> Result<()> {
    environment(if arguments.keras { KERAS } else { BASE })?;
    println!(
        "{} -m wardtap_models --help",
        tests::models::python().display()
    );
    Ok(())
}

/// What is installed, by its lock.
pub(crate) struct Set {
    lock: &'static str,
    what: &'static str,
}

/// The package and the scikit-learn trainer.
pub(crate) const BASE: Set = Set {
    lock: "requirements.txt",
    what: "NumPy, scikit-learn, ONNX and ONNX Runtime; 0.5 GB",
};

/// The Keras trainer too.
pub(crate) const KERAS: Set = Set {
    lock: "requirements-keras.txt",
    what: "NumPy, scikit-learn, ONNX, ONNX Runtime and TensorFlow; 2 GB",
};

/// Makes the environment, unless it is there with at least that set.
///
/// # Errors
/// Without Python 3.11 or later, or where the package index can't be reached or offers other files than the locked ones.
pub(crate) fn environment(set: Set) -> Result<()> {
    let folder = tests::models::folder();
    let python = tests::models::python();
    let models = root().join("models");
    let done = |lock: &str| {
        let wanted = fs::read(models.join(lock)).ok();
        wanted.is_some() && fs::read(folder.join(lock)).ok() == wanted
    };
    if done(set.lock) || done(KERAS.lock) {
        return Ok(());
    }
    println!(
        "installing what trains models into {}, once: {}",
        folder.display(),
        set.what
    );
    let base = interpreter()?;
    run(Command::new(base)
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--only-binary=:all:"])
        .args(["--require-hashes", "--requirement"])
        .arg(models.join(set.lock)))?;
    offer_package(&python, &models)?;
    fs::copy(models.join(set.lock), folder.join(set.lock))
        .with_context(|| folder.display().to_string())?;
    Ok(())
}

/// The package is used as it lies in the workspace.
fn offer_package(python: &Path, models: &Path) -> Result<()> {
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = output(python, &["-c", ask]).context("the new environment does not run")?;
    let file = Path::new(packages.trim()).join("wardtap_models.pth");
    fs::write(&file, format!("{}\n", models.display())).with_context(|| file.display().to_string())
}

/// A Python that is new enough and makes environments.
fn interpreter() -> Result<&'static str> {
    let usable = |python: &&str| {
        let ask = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
        output(python, &["-c", ask]).is_some()
    };
    let candidates = ["python3", "/usr/bin/python3"];
    if let Some(found) = candidates.iter().find(|one| usable(one)) {
        return Ok(found);
    }
    install::debian_packages(&["python3", "python3-venv"])?;
    candidates
        .iter()
        .find(|one| usable(one))
        .copied()
        .context("models are trained with Python 3.11 or later, and there is an older one only")
}
