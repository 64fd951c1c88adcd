//! `wardtap report`.

mod compliance;
mod incident;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use sensor_evidence::report::{Document, html, markdown, pdf};
use sensor_facts::files;
use serde::Serialize;

use super::{print, print_json};

const EXAMPLES: &str = "\
Examples:
  wardtap report incident I3                                as text, to read now
  wardtap report incident 7                                 of the incident that alert 7 belongs to
  wardtap report incident I3 --output incident-3.pdf        to hand on
  wardtap report incident I3 --law gdpr --law nis2 --output incident-3.html     with the deadlines of these laws
  wardtap report incident I3 --pseudonymise --format json   for others, without addresses and names
  wardtap report compliance --since 30d --output march.html     a page that prints
  wardtap report compliance --since 30d --pseudonymise --format json";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ReportCommand {
    /// All that is known of an incident: timeline, systems, spread, data, containment, recovery, dates
    #[command(after_help = EXAMPLES)]
    Incident(incident::IncidentArgs),
    /// What the sensor can show of a time: coverage, devices, clinical data, alerts, containment, changes
    #[command(after_help = EXAMPLES)]
    Compliance(compliance::ComplianceArgs),
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text, to read or to paste.
    Markdown,
    /// A page that stands alone and prints.
    Html,
    /// A PDF file, to hand on.
    Pdf,
    /// Data, for programs.
    Json,
}

/// In which form and where to a report goes.
#[derive(Args)]
pub(super) struct Written {
    /// Its form [default: as the output's name ends (.md, .txt, .html, .pdf, .json), else markdown]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write it: whole, or not at all. Without it: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With pseudonyms for addresses and names, the same ones in all exports of the site
    #[arg(long)]
    pseudonymise: bool,
}

impl Written {
    fn format(&self) -> anyhow::Result<Format> {
        if self.format == Some(Format::Pdf) && self.output.is_none() {
            bail!("a PDF needs a file: name one with --output");
        }
        let ending = self.output.as_ref().and_then(|path| path.extension());
        let (None, Some(ending)) = (self.format, ending) else {
            return Ok(self.format.unwrap_or(Format::Markdown));
        };
        let ending = ending.to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "md" | "markdown" | "txt" => Ok(Format::Markdown),
            "html" | "htm" => Ok(Format::Html),
            "pdf" => Ok(Format::Pdf),
            "json" => Ok(Format::Json),
            _ => bail!(
                "no report can be written as .{ending}: end the name with .md, .txt, .html, .pdf or .json, or say --format"
            ),
        }
    }

    /// Writes a report, given as data and as a document.
    fn write<T: Serialize>(
        &self,
        data: &T,
        document: impl FnOnce() -> Document,
    ) -> anyhow::Result<()> {
        let text = match self.format()? {
            Format::Markdown => markdown(&document()),
            Format::Html => html(&document()),
            Format::Json if self.output.is_none() => return print_json(data),
            Format::Json => serde_json::to_string_pretty(data)? + "\n",
            Format::Pdf => return self.file(&pdf(&document())),
        };
        if self.output.is_none() {
            return print(&text);
        }
        self.file(text.as_bytes())
    }

    fn file(&self, content: &[u8]) -> anyhow::Result<()> {
        let path = self.output.as_ref();
        let path = path.context("a PDF needs a file: name one with --output")?;
        files::write_bytes(path, content)
            .with_context(|| format!("can't write {}", path.display()))?;
        eprintln!("written to {}", path.display());
        Ok(())
    }
}

pub(super) fn run(socket: &Path, command: &ReportCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReportCommand::Incident(args) => incident::run(socket, args),
        ReportCommand::Compliance(args) => compliance::run(socket, args),
    }
}
