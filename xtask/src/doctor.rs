//! `cargo xtask doctor`: what this machine lacks.

use anyhow::Result;
use nix::unistd::geteuid;

use crate::{
    install::{self, PEERS, RECEIVERS, debian_has},
    kernels::EMULATOR,
    runtime,
    test::{DENY, deny_version},
    toolchain,
    workspace::{output, which},
};

/// What a missing thing hinders.
const BUILD: &str = "build";
const TEST: &str = "tests and demo";

struct Finding {
    hinders: &'static str,
    what: String,
    found: Option<String>,
    remedy: String,
}

/// `cargo xtask doctor`.
///
/// # Errors
/// When something is missing, so that scripts can ask.
pub(crate) fn run() -> Result<()> {
    let findings = findings();
    let mut lacking = 0;
    for finding in &findings {
        if let Some(found) = &finding.found {
            println!("ok       {:<15} {}: {found}", finding.hinders, finding.what);
        } else {
            lacking += 1;
            println!(
                "missing  {:<15} {}: {}",
                finding.hinders, finding.what, finding.remedy
            );
        }
    }
    anyhow::ensure!(
        lacking == 0,
        "{lacking} of {} missing; as root, `cargo xtask build`, `test` and `demo` install what they need",
        findings.len()
    );
    Ok(())
}

fn findings() -> Vec<Finding> {
    let mut findings = vec![
        Finding {
            hinders: BUILD,
            what: "C compiler as host linker".into(),
            found: which("cc").map(|path| path.display().to_string()),
            remedy: "apt-get install gcc libc6-dev".into(),
        },
        Finding {
            hinders: BUILD,
            what: "compiler for the kernel programs".into(),
            found: toolchain::compiler()
                .map(|compiler| format!("{}, {}", compiler.version, compiler.rustc.display())),
            remedy: if debian_has("rust-web-src") {
                "apt-get install rustc-web rust-web-src".into()
            } else {
                "`cargo xtask build` installs a nightly with rust-src by rustup".into()
            },
        },
        Finding {
            hinders: BUILD,
            what: "bpf-linker".into(),
            found: toolchain::linker().map(|path| path.display().to_string()),
            remedy: "`cargo xtask build` installs it with cargo".into(),
        },
        Finding {
            hinders: TEST,
            what: "root".into(),
            found: geteuid().is_root().then(|| "yes".into()),
            remedy: "run as root: namespaces and kernel programs need it".into(),
        },
        Finding {
            hinders: TEST,
            what: "rustfmt".into(),
            found: output("cargo", &["fmt", "--version"]).map(|text| text.trim().into()),
            remedy: "rustup component add rustfmt".into(),
        },
        Finding {
            hinders: TEST,
            what: "clippy".into(),
            found: output("cargo", &["clippy", "--version"]).map(|text| text.trim().into()),
            remedy: "rustup component add clippy".into(),
        },
        Finding {
            hinders: TEST,
            what: DENY.into(),
            found: deny_version(),
            remedy: "`cargo xtask test` installs it with cargo".into(),
        },
    ];
    findings.push(Finding {
        hinders: TEST,
        what: "python-hl7 (HL7 peers of the test hospital)".into(),
        found: install::python_version(),
        remedy: "`cargo xtask test` installs it into target/python; python3 and python3-venv first"
            .into(),
    });
    findings.push(Finding {
        hinders: TEST,
        what: "ONNX Runtime (models)".into(),
        found: runtime::version(),
        remedy: "`cargo xtask test` fetches it into target/onnxruntime".into(),
    });
    findings.push(Finding {
        hinders: TEST,
        what: "the Python environment that trains models, with TensorFlow".into(),
        found: tests::models::has_keras().then(|| tests::models::folder().display().to_string()),
        remedy: "`cargo xtask test` makes it: 2 GB".into(),
    });
    findings.extend(
        PEERS
            .iter()
            .chain(RECEIVERS)
            .chain(EMULATOR)
            .map(|program| Finding {
                hinders: TEST,
                what: format!("{} ({})", program.name, program.purpose),
                found: which(program.name).map(|path| path.display().to_string()),
                remedy: format!("apt-get install {}", program.package),
            }),
    );
    findings
}
