//! Paths of the workspace, and running programs in it.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, Result, bail};

/// Memory that one compiler process may take, kibibytes: the jobs of a build are bounded by it.
const MEMORY_PER_JOB: u64 = 2 * 1024 * 1024;

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}

/// The folder of everything that is built.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// The folder of captures to measure with: `WARDTAP_CAPTURES`, or `../shared/captures` beside the workspace.
pub(crate) fn captures() -> PathBuf {
    env::var_os("WARDTAP_CAPTURES").map_or_else(|| root().join("../shared/captures"), PathBuf::from)
}

/// The cargo that runs this.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// `cargo` with a subcommand, at the workspace's root, with bounded jobs.
pub(crate) fn cargo_command(subcommand: &str) -> Command {
    let mut command = Command::new(cargo());
    command.arg(subcommand).current_dir(root());
    bound_jobs(&mut command);
    command
}

/// Bounds the build's jobs by the machine's cores and memory, unless the caller has set them.
pub(crate) fn bound_jobs(command: &mut Command) {
    if env::var_os("CARGO_BUILD_JOBS").is_none() {
        command.env("CARGO_BUILD_JOBS", jobs().to_string());
    }
}

fn jobs() -> u64 {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let memory = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        })
        .map_or(cores, |kibibytes| kibibytes / MEMORY_PER_JOB);
    cores.min(memory).max(1)
}

/// True in continuous integration, where a test that can't run has failed.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs a command to its end, its output going to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("can't start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{status}: {}", line(command));
    }
    Ok(())
}

/// A command's output, if it can be started and succeeds.
pub(crate) fn output<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[S],
) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first file of that name in `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Puts a table where a document has the marks for it.
pub(crate) fn write_table(document: &str, table: &str) -> Result<()> {
    const BEGIN: &str = "<!-- table -->\n";
    const END: &str = "<!-- /table -->\n";
    let path = root().join(document);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.with_context(|| format!("{document} has no marks for the table"))?;
    fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    println!("written to {}", path.display());
    Ok(())
}
