//! `cargo xtask test`: everything that must hold before a change is taken.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::{
    ebpf, evaluate,
    install::{self, PEERS, RECEIVERS},
    models, runtime, suite,
    workspace::{cargo_command, output, root, run},
};

/// The checker of licences, sources and advisories.
pub(crate) const DENY: &str = "cargo-deny";
const DENY_VERSION: &str = "0.20.2";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run the tests only: no format, lint or licence checks, no guest with an old kernel
    #[arg(long)]
    quick: bool,
    /// Arguments for `cargo test`, after `--`: a part of a test's name, say
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// `cargo xtask test`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    if !arguments.quick {
        // What fails fastest, first.
        format()?;
    }
    install::programs(PEERS)?;
    install::programs(RECEIVERS)?;
    install::live(&evaluate::programs::short()?)?;
    install::python()?;
    install::prometheus()?;
    install::orthanc()?;
    models::environment(models::KERAS)?;
    runtime::fetch()?;
    ebpf::objects()?;
    if !arguments.quick {
        println!("checking lints");
        run(cargo_command("clippy")
            .args(["--quiet", "--workspace", "--all-targets"])
            .args(["--", "--deny", "warnings"]))?;
        licences()?;
    }
    let succeeded = if arguments.cargo_test.is_empty() {
        suite::all(!arguments.quick)?
    } else {
        ebpf::daemon(false)?;
        suite::some(&arguments.cargo_test)?
    };
    ensure!(succeeded, "tests failed");
    Ok(())
}

/// Checks that the code is formatted. `cargo fmt` does not find modules that a macro declares, as the registry does with
/// those of protocols; so they are named.
fn format() -> Result<()> {
    let root = root().to_string_lossy();
    let named = ["-C", &*root, "ls-files", "*/layer7/*.rs", "*/protocol/*.rs"];
    let files = output("git", &named).unwrap_or_default();
    run(cargo_command("fmt")
        .args(["--all", "--", "--check"])
        .args(files.lines()))
    .context("the code is not formatted: run `cargo fmt`, and `rustfmt` on the files of protocols")
}

/// The version of cargo-deny that is here.
pub(crate) fn deny_version() -> Option<String> {
    output(DENY, &["--version"]).map(|text| text.trim().to_owned())
}

fn licences() -> Result<()> {
    if deny_version().is_none() {
        install::cargo_package(
            DENY,
            DENY_VERSION,
            "it checks licences and sources; about two minutes",
        )?;
    }
    println!("checking licences and sources");
    let deny = |what: &[&str]| {
        let mut command = cargo_command("deny");
        command.args(["--log-level", "error", "check"]).args(what);
        command
    };
    run(&mut deny(&[
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))?;
    // The database of advisories is a git repository, which not every builder can reach.
    let fetched = cargo_command("deny")
        .args(["--log-level", "off", "fetch", "db"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if fetched {
        run(&mut deny(&["--disable-fetch", "advisories"]))
    } else {
        println!(
            "SKIPPED advisories: their database, https://github.com/RustSec/advisory-db, can't be reached"
        );
        Ok(())
    }
}
