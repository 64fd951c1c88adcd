//! The Python package that trains models, held to its own tests.

use std::process::Command;

use tests::{ability, models};

/// Trainers, graph, files, bad input, signatures, leakage: `models/tests`.
#[test]
fn package_passes_its_tests() {
    if !ability::models(true) {
        return;
    }
    let output = Command::new(models::python())
        .args(["-m", "pytest", "-rfEs", "-p", "no:cacheprovider"])
        .arg(models::package())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("pytest starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}");
    // With TensorFlow here, nothing has a reason to be skipped.
    let summary = said.lines().last().unwrap_or_default();
    assert!(
        summary.contains("passed") && !summary.contains("skipped"),
        "{summary}"
    );
}
