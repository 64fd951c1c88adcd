//! `wardtap man`.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Command};

#[derive(Args)]
pub(super) struct ManArgs {
    /// Folder that the pages are written to
    folder: PathBuf,
}

pub(super) fn run(args: &ManArgs, command: Command) -> anyhow::Result<ExitCode> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("can't write man pages to {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
