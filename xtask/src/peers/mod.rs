//! `cargo xtask peers`: the test suites of others as judges of what the sensor says.

mod cases;
mod community;
mod compare;
mod conversation;
mod ndpi;
mod page;
mod suite;
mod suricata;
mod wardtap;
mod zeek;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, ensure};

use self::{
    cases::{files, is_capture},
    compare::{Compared, compare},
    page::Result as Measured,
    suite::{SUITES, Suite, version},
    wardtap::Said,
};
use crate::{
    ebpf,
    workspace::{output, root, write_table},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder with the suites in `zeek`, `suricata-verify`, `nDPI` and `community-id`
    #[arg(long, value_name = "DIR")]
    suites: PathBuf,
    /// The `wardtap` to compare, instead of one built for release
    #[arg(long)]
    wardtap: Option<PathBuf>,
    /// Print each difference
    #[arg(long)]
    list: bool,
    /// Write the tables to docs/peers.md, between its marks
    #[arg(long)]
    write: bool,
}

/// `cargo xtask peers`.
pub(crate) fn run_all(arguments: &Arguments) -> Result<()> {
    let (there, missing): (Vec<&Suite>, Vec<&Suite>) = SUITES.iter().partition(|suite| {
        let folder = arguments.suites.join(suite.folder);
        folder.join(suite.captures).is_dir()
    });
    for suite in &missing {
        let folder = arguments.suites.join(suite.folder);
        println!(
            "{} is missing: git clone --depth 1 {} {}",
            suite.title,
            suite.source,
            folder.display()
        );
    }
    ensure!(!there.is_empty(), "none of the suites is there");
    let wardtap = match &arguments.wardtap {
        Some(path) => path
            .canonicalize()
            .with_context(|| path.display().to_string())?,
        None => ebpf::daemon(true)?,
    };
    let mut measured = Vec::new();
    for suite in there {
        let folder = arguments.suites.join(suite.folder);
        measured.push(one_suite(suite, &folder, &wardtap)?);
    }
    if arguments.list {
        for one in &measured {
            page::list(one);
        }
    }
    let place = root().display().to_string();
    let commit = output("git", &["-C", &place, "rev-parse", "--short", "HEAD"]);
    let date = output("date", &["-u", "+%Y-%m-%d"]);
    let text = page::page(
        &measured,
        &missing,
        date.unwrap_or_default().trim(),
        commit.unwrap_or_default().trim(),
    );
    println!("{text}");
    if arguments.write {
        write_table("docs/peers.md", &text)?;
    }
    Ok(())
}

fn one_suite(suite: &'static Suite, folder: &Path, wardtap: &Path) -> Result<Measured> {
    let cases = (suite.cases)(folder)?;
    let base = folder.join(suite.captures);
    let mut captures = files(&base)?;
    captures.retain(|file| is_capture(file));
    println!(
        "{}: {} captures, {} cases",
        suite.title,
        captures.len(),
        cases.len()
    );
    let said = replay_all(wardtap, &captures)?;
    let mut measured = Measured {
        suite,
        version: version(folder),
        captures: captures.len(),
        refused: BTreeMap::new(),
        absent: BTreeSet::new(),
        compared: BTreeMap::new(),
    };
    let name = |path: &Path| {
        path.strip_prefix(&base)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    for (capture, said) in &said {
        if let Said::Refused(reason) = said {
            measured.refused.insert(name(capture), reason.clone());
        }
    }
    for case in cases {
        let label = match case.captures.as_slice() {
            [] => continue,
            [one] => name(one),
            [first, others @ ..] => format!("{} and {} more", name(first), others.len()),
        };
        let mut ours = Vec::new();
        let mut read = 0;
        for capture in &case.captures {
            if let Some(Said::Conversations(found)) = said.get(capture) {
                read += 1;
                ours.extend(found.iter().cloned());
            } else if !said.contains_key(capture) {
                measured.absent.insert(name(capture));
            }
        }
        if read == 0 {
            continue;
        }
        let Compared {
            values,
            differences,
        } = compare(&case.expected, &ours);
        let sum = measured.compared.entry(label).or_default();
        for (field, number) in values {
            *sum.values.entry(field).or_default() += number;
        }
        sum.differences.extend(differences);
    }
    Ok(measured)
}

/// Replays captures on all cores; links to one file are read once each.
fn replay_all(wardtap: &Path, captures: &[PathBuf]) -> Result<BTreeMap<PathBuf, Said>> {
    let next = Mutex::new(captures.iter());
    let work = || -> Result<Vec<(PathBuf, Said)>> {
        let mut done = Vec::new();
        loop {
            let Some(capture) = next.lock().ok().and_then(|mut next| next.next()) else {
                return Ok(done);
            };
            let said =
                wardtap::replay(wardtap, capture).with_context(|| capture.display().to_string())?;
            done.push((capture.clone(), said));
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut all = BTreeMap::new();
        for thread in threads {
            let done = thread
                .join()
                .map_err(|_| anyhow::anyhow!("a thread failed"))?;
            all.extend(done?);
        }
        Ok(all)
    })
}
