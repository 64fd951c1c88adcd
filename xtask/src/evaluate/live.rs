//! `cargo xtask evaluate live`: real attack tools in a hospital of network namespaces, and what the sensor says of them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::exit,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;
use tests::{
    live::{
        self, Options,
        outcome::{self, Report},
        page,
        suricata::Peer,
        table,
    },
    netns::remove_leftovers,
};

use super::programs::PROGRAMS;
use crate::{
    compare, ebpf,
    install::{self, PEERS},
    interruption::{INTERRUPTED, Interruption},
    runtime,
    workspace::{output, root, target, write_table},
};

/// What the namespaces' names begin with.
const PREFIX: &str = "wardtap-live";
/// The page that the table goes to.
const PAGE: &str = "docs/live-evaluation.md";

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct Arguments {
    /// These attacks only
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// A dozen attacks after a short learning time: about four minutes
    #[arg(long, conflicts_with = "only")]
    short: bool,
    /// How many attacks run at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    lanes: u8,
    /// How long the sensor learns, seconds
    #[arg(long, value_parser = clap::value_parser!(u64).range(30..=3600))]
    learning: Option<u64>,
    /// How long the hospital works with benign change before the first attack, seconds
    #[arg(long, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    quiet: Option<u64>,
    /// Folder of the capture, the truth and the table; what is in it goes away [default: target/live]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Do not run Suricata over the capture
    #[arg(long)]
    alone: bool,
    /// The `wardtap` to evaluate, instead of one built for it
    #[arg(long, conflicts_with = "debug")]
    wardtap: Option<PathBuf>,
    /// The debug build of the daemon: quicker to build, slower
    #[arg(long)]
    debug: bool,
    /// Only judge again what a run with the same arguments has left in the folder, Suricata's events too
    #[arg(long)]
    again: bool,
    /// Write the table into docs/live-evaluation.md
    #[arg(long, conflicts_with_all = ["only", "short"])]
    write: bool,
}

/// `cargo xtask evaluate live`.
pub(super) fn run_all(arguments: &Arguments) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "it makes network namespaces and loads kernel programs: run it as root"
    );
    let mut attacks = table::attacks()?;
    if arguments.short {
        attacks.retain(|attack| attack.short);
    } else if !arguments.only.is_empty() {
        for id in &arguments.only {
            let known = attacks.iter().any(|attack| attack.id == id);
            ensure!(known, "there is no attack {id}");
        }
        attacks.retain(|attack| arguments.only.iter().any(|id| attack.id == id));
    }
    install::programs(PEERS)?;
    install::python()?;
    install::orthanc()?;
    let unknown = install::live(PROGRAMS)?;
    let tools = install::live_python()?;
    runtime::fetch()?;
    let daemon = if let Some(path) = &arguments.wardtap {
        path.canonicalize()
            .with_context(|| path.display().to_string())?
    } else {
        ebpf::objects()?;
        ebpf::daemon(!arguments.debug)?
    };
    let folder = arguments
        .out
        .clone()
        .unwrap_or_else(|| target().join("live"));
    if folder.exists() && !arguments.again {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let interruption = Interruption::watch(|| remove_leftovers(PREFIX).map(drop))?;
    let time = |given: Option<u64>, short, long| {
        Duration::from_secs(given.unwrap_or(if arguments.short { short } else { long }))
    };
    let options = Options {
        prefix: PREFIX,
        folder: &folder,
        daemon,
        tools: Some(tools),
        attacks,
        lanes: arguments.lanes.into(),
        learning: time(arguments.learning, 60, 240),
        quiet: time(arguments.quiet, 20, 240),
        settle: Duration::from_secs(75),
        check: &|| interruption.check(),
    };
    let report = match done(arguments, &options) {
        Err(error) if interruption.came() => {
            eprintln!("{error:#}; everything was removed");
            exit(INTERRUPTED)
        }
        done => done?,
    };
    tell(arguments, &options, &report, &unknown)
}

/// Runs it, or reads what a run has left.
fn done(arguments: &Arguments, options: &Options<'_>) -> Result<Report> {
    if !arguments.again {
        return live::run(options);
    }
    let truth = fs::read_to_string(options.folder.join("truth.csv"))?;
    let deeds = page::deeds(&truth)?;
    let missing = options
        .attacks
        .iter()
        .filter(|attack| deeds.iter().all(|deed| deed.attack.id != attack.id));
    let missing = missing.cloned().collect();
    let first = deeds.iter().map(|deed| deed.time.0).min();
    let learned = first.context("nothing was done")? - options.quiet;
    outcome::read(options.folder, &deeds, learned, missing)
}

/// How the daemon was compiled, as its folder says.
fn build(daemon: &Path) -> &'static str {
    if daemon.components().any(|part| part.as_os_str() == "debug") {
        "debug"
    } else {
        "optimised"
    }
}

/// Writes what came out.
fn tell(
    arguments: &Arguments,
    options: &Options<'_>,
    report: &Report,
    unknown: &[&str],
) -> Result<()> {
    let folder = options.folder;
    let peer = if arguments.alone {
        None
    } else {
        let theirs = folder.join("suricata");
        fs::create_dir_all(&theirs)?;
        let (name, eve) =
            compare::suricata(&folder.join("mirror.pcapng"), &theirs, arguments.again)?;
        Some(Peer::read(&name, &eve, report.attacked)?)
    };
    let said = |program: &str, arguments: &[&str]| {
        let text = output(program, arguments).unwrap_or_default();
        text.trim().to_owned()
    };
    let root = root().display().to_string();
    let mut head = format!(
        "Run on {} with Wardtap {}, {} build, default settings but for `learning` ({} s) and `doubt` ({} s); quiet time {} s; \
         {} attacks at a time; Linux {}, {} cores.\n",
        said("date", &["-u", "+%Y-%m-%d"]),
        said("git", &["-C", &root, "rev-parse", "--short", "HEAD"]),
        build(&options.daemon),
        options.learning.as_secs(),
        live::doubt(options.learning).as_secs(),
        options.quiet.as_secs(),
        options.lanes,
        said("uname", &["-r"]),
        said("nproc", &[])
    );
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        writeln!(head, "Debian here does not offer: {unknown}.")?;
    }
    let text = format!("{head}\n{}", page::markdown(report, peer.as_ref()));
    fs::write(folder.join("table.md"), &text)?;
    fs::write(folder.join("README.md"), page::readme(&head))?;
    println!(
        "\n{text}\nCapture, truth and table are in {}.",
        folder.display()
    );
    if arguments.write {
        write_table(PAGE, &text)?;
    }
    Ok(())
}
