//! The Python package that trains models: its environment, and the model that ships.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    install,
    workspace::{cargo_command, output, root, run, target},
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
#[derive(Clone, Copy)]
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

/// `cargo xtask train`.
#[derive(clap::Args)]
pub(crate) struct TrainArguments {
    /// The library that trains the autoencoder: sklearn or keras
    #[arg(long, default_value = "sklearn")]
    trainer: String,
    /// Names the simulated hospital that is learnt; evaluations use others
    #[arg(long, default_value_t = 101)]
    seed: u64,
    /// How long the hospital is watched
    #[arg(long, default_value_t = 14)]
    days: u64,
    /// How many devices it has, about
    #[arg(long, default_value_t = 240)]
    devices: usize,
    /// Names the hospital, under attack, on which the card's numbers are measured
    #[arg(long, default_value_t = 1)]
    test_seed: u64,
    /// Where the model goes
    #[arg(long, default_value = "models/flow-v1.onnx")]
    out: PathBuf,
}

/// Makes the model that ships: the same arguments on the same machine give the same bytes.
pub(crate) fn train(arguments: &TrainArguments) -> Result<()> {
    let keras = arguments.trainer == "keras";
    environment(if keras { KERAS } else { BASE })?;
    let folder = target().join("models");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let out = root().join(&arguments.out);
    let name = out.file_stem().unwrap_or_default().to_string_lossy();
    let learnt = folder.join(format!("{name}.train.csv"));
    let test = folder.join(format!("{name}.test.csv"));
    let digests = folder.join(format!("{name}.digests"));
    simulate(arguments, arguments.seed, &["--change-only"], &learnt)?;
    simulate(arguments, arguments.test_seed, &["--label"], &test)?;
    let (days, devices) = (arguments.days, arguments.devices);
    let source = format!(
        "Traffic that this project makes itself, and nothing else: {days} days of a simulated hospital of about {devices} devices \
         without attacks (`evaluation`, seed {}), with a firmware day, a new modality and a backup night where they fall into the time. \
         The table of flows under attack is of another hospital of the same simulator (seed {}), of which the model has seen \
         no row. No real hospital's traffic is in it, and it has been measured on none.",
        arguments.seed, arguments.test_seed
    );
    let python = |command: &str| {
        let mut python = Command::new(tests::models::python());
        python.args(["-m", "wardtap_models", command]);
        python
    };
    run(python("train")
        .arg(&learnt)
        .arg("--out")
        .arg(&out)
        .args(["--trainer", &arguments.trainer, "--seed", "1"])
        .arg("--digests")
        .arg(&digests)
        .arg("--test")
        .arg(&test)
        .args(["--source", &source]))?;
    run(python("verify").arg(&out).arg("--rows").arg(&test))?;
    run(python("leakage").arg(&digests).arg(&test))
}

/// Writes the features of a simulated hospital.
fn simulate(arguments: &TrainArguments, seed: u64, how: &[&str], output: &Path) -> Result<()> {
    let (days, devices) = (arguments.days.to_string(), arguments.devices.to_string());
    let how = [how, &["--days", &days, "--devices", &devices]].concat();
    write("features", seed, &how, output)
}

/// Has the evaluation write something of a simulated hospital.
fn write(what: &str, seed: u64, how: &[&str], output: &Path) -> Result<()> {
    println!(
        "simulating a hospital, seed {seed}, into {}",
        output.display()
    );
    run(cargo_command("run")
        .args(["--quiet", "--release", "--package", "evaluation", "--"])
        .arg(what)
        .args(["--seed", &seed.to_string()])
        .args(how)
        .arg("--output")
        .arg(output))
}

/// Seeds of the hospitals that the model of windows learns from, and of those that say which score a budget needs. Evaluations
/// use others.
const WINDOWS: ([u64; 2], [u64; 2]) = ([201, 202], [203, 204]);

/// `cargo xtask train-windows`.
#[derive(clap::Args)]
pub(crate) struct WindowArguments {
    /// Where the model goes
    #[arg(long, default_value = "models/windows-v1.onnx")]
    out: PathBuf,
}

/// Makes the model of windows that ships: the same arguments on the same machine give the same bytes.
pub(crate) fn train_windows(arguments: &WindowArguments) -> Result<()> {
    environment(BASE)?;
    let folder = target().join("models");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let simulated = |seed: &u64| {
        let file = folder.join(format!("windows-{seed}.csv"));
        write("windows", *seed, &["--change-only"], &file)?;
        Ok(file)
    };
    let learnt: Vec<PathBuf> = WINDOWS.0.iter().map(simulated).collect::<Result<_>>()?;
    let needed: Vec<PathBuf> = WINDOWS.1.iter().map(simulated).collect::<Result<_>>()?;
    let mut python = Command::new(tests::models::python());
    python
        .args(["-m", "wardtap_models", "windows"])
        .args(&learnt)
        .arg("--out")
        .arg(root().join(&arguments.out));
    for file in &needed {
        python.arg("--needed").arg(file);
    }
    run(&mut python)
}
