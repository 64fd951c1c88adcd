//! What a test needs of the machine, and what happens where it is missing.

use std::{env, path::Path, process::Command};

use nix::unistd::geteuid;

use crate::{hl7, models, netns::run, prometheus};

/// True if this process may load kernel programs and make network namespaces. Otherwise the test has to
/// end: it is skipped, and says so.
///
/// # Panics
/// In continuous integration (`CI` is set), where a test that can't run has failed.
#[must_use]
pub fn privileged() -> bool {
    check((!geteuid().is_root()).then(|| "not root".to_owned()))
}

/// True if the programs of the hospital are here too.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn hospital() -> bool {
    let missing = ["ip", "tc", "ss", "ping", "storescp", "dcmqrscp", "openssl"]
        .into_iter()
        .find(|program| !in_path(program))
        .map(|program| format!("{program} is not installed: run `cargo xtask test`"));
    let python = Command::new(hl7::python())
        .args(["-c", "import hl7.mllp"])
        .output();
    let missing = missing.or_else(|| {
        (!python.is_ok_and(|output| output.status.success()))
            .then(|| "python-hl7 is not installed: run `cargo xtask test`".to_owned())
    });
    privileged() && check(missing)
}

/// True if models can be made and run: the Python environment of the models package, with TensorFlow if that is asked
/// for, and the ONNX Runtime are here.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn models(keras: bool) -> bool {
    let python = models::python();
    let runtime = models::runtime();
    let missing = if !python.is_file() || keras && !models::has_keras() {
        Some(format!(
            "{} has no wardtap_models, or no TensorFlow: run `cargo xtask models --keras`",
            python.display()
        ))
    } else {
        let missing = "is missing: run `cargo xtask runtime`";
        (!runtime.is_file()).then(|| format!("{} {missing}", runtime.display()))
    };
    check(missing)
}

/// True if there is a terminal that a test can type into: tmux.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn terminal() -> bool {
    let missing = "tmux is not installed: run `cargo xtask test`";
    check((!in_path("tmux")).then(|| missing.to_owned()))
}

/// True if rsyslog is here, with its TLS.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn rsyslog() -> bool {
    let tls = run(Command::new("sh").args(["-c", "ls /usr/lib/*/rsyslog/lmnsd_gtls.so"]));
    let there = in_path("rsyslogd") && tls.is_ok();
    check(
        (!there).then(|| {
            "rsyslog and rsyslog-gnutls are not installed: run `cargo xtask test`".to_owned()
        }),
    )
}

/// True if Python has `DuckDB`, which reads the store's files of flows.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn duckdb() -> bool {
    let python = Command::new(hl7::python())
        .args(["-c", "import duckdb"])
        .output();
    check(
        (!python.is_ok_and(|output| output.status.success()))
            .then(|| "duckdb is not installed: run `cargo xtask test`".to_owned()),
    )
}

/// True if Prometheus and its tool are here.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn prometheus() -> bool {
    let missing = [prometheus::SERVER, prometheus::TOOL]
        .into_iter()
        .find(|name| prometheus::program(name).is_none());
    check(missing.map(|name| format!("{name} is not installed: run `cargo xtask test`")))
}

/// True if these programs are in `PATH` or where programs for root are; those with a variable as name are not looked for.
///
/// # Panics
/// As [`privileged`].
#[must_use]
pub fn programs<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    let here = |name: &str| in_path(name) || Path::new("/usr/sbin").join(name).is_file();
    let missing = names
        .into_iter()
        .find(|name| !name.starts_with('$') && !here(name));
    check(missing.map(|name| format!("{name} is not installed: run `cargo xtask test`")))
}

fn in_path(program: &str) -> bool {
    run(Command::new("sh").args(["-c", &format!("command -v {program}")])).is_ok()
}

fn check(missing: Option<String>) -> bool {
    let Some(missing) = missing else { return true };
    let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!ci, "can't run: {missing}");
    println!("SKIPPED: {missing}");
    false
}
