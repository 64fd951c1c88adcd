//! `wardtap exceptions`.

mod csv;

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use ipnet::IpNet;
use sensor_analysis::{
    Whom,
    alert::{Exception, NewException},
};
use sensor_facts::{setting::Span, time::Time, words::several};
use sensor_sessions::inventory::Role;

use super::{
    Listed, Shown,
    export::write_file,
    filters::{detectors, future, now, role},
    listed::all,
    print, print_json,
};
use crate::control::{
    api::{EXCEPTIONS, NewExceptions, Query, Reason},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap exceptions list
  wardtap exceptions add --device 10.1.4.20 --detector brute_force --reason 'jump host of the administrators'
  wardtap exceptions add --role printer --detector first_outside --for 30d --reason 'update of the print servers'
  wardtap exceptions add-scanner 10.1.9.5 --reason 'our vulnerability scanner, Mondays, change 4711'
  wardtap exceptions export > exceptions.csv
  wardtap exceptions import exceptions.csv
  wardtap exceptions remove 7 --reason 'the scanner was taken away'

A finding that is muted is in no alert and goes to no output. It is counted at its exception, and `wardtap status` says
how many would have been of high severity. To raise a threshold instead, see [[detect.override]] in the configuration.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ExceptionsCommand {
    /// List the exceptions, with what each has muted so far
    #[command(after_help = EXAMPLES)]
    List(Box<Listed<Exception>>),
    /// Mute detectors for a device, a subnet or all devices of a role
    #[command(after_help = EXAMPLES)]
    Add(AddArgs),
    /// Mute what an authorised vulnerability scanner sets off: scans, sweeps, probes and guesses
    #[command(after_help = EXAMPLES)]
    AddScanner(ScannerArgs),
    /// End an exception
    Remove(RemoveArgs),
    /// Make all exceptions of a CSV file, or none if a line is wrong
    #[command(after_help = EXAMPLES)]
    Import(ImportArgs),
    /// Write the exceptions that people made as CSV, as `import` reads it
    #[command(after_help = EXAMPLES)]
    Export(ExportArgs),
}

/// Until when, and why.
#[derive(Args)]
pub(super) struct WhyArgs {
    /// For how long, such as 8h or 30d [default: for good]
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    lasts: Option<Span>,
    /// Until a moment (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = future)]
    until: Option<Time>,
    /// Why: what the next shift reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    whom: WhomArgs,
    /// The detectors, with commas between; without it all
    #[arg(long = "detector", value_name = "A,B,C", value_delimiter = ',', value_parser = detectors(), hide_possible_values = true)]
    detectors: Vec<String>,
    #[command(flatten)]
    why: WhyArgs,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct WhomArgs {
    /// The device with this IP address
    #[arg(long, value_name = "ADDRESS")]
    device: Option<std::net::IpAddr>,
    /// All devices of a subnet
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<IpNet>,
    /// All devices of a role
    #[arg(long, value_parser = role())]
    role: Option<Role>,
}

#[derive(Args)]
pub(super) struct ScannerArgs {
    /// Its IP address, or the subnet of several
    #[arg(value_name = "ADDRESS")]
    scanner: Whom,
    #[command(flatten)]
    why: WhyArgs,
}

#[derive(Args)]
pub(super) struct RemoveArgs {
    /// Its number
    id: u64,
    /// Why: what the next shift reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The file; - is the standard input. Its first line is for,detectors,until,reason
    file: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Where to write it: whole, or not at all. Without it: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(socket: &Path, command: ExceptionsCommand) -> anyhow::Result<ExitCode> {
    match command {
        ExceptionsCommand::List(listed) => listed.print(socket, EXCEPTIONS)?,
        ExceptionsCommand::Add(args) => add(socket, args)?,
        ExceptionsCommand::AddScanner(args) => {
            let detectors = NewException::scanner_detectors();
            make(
                socket,
                vec![args.why.of(args.scanner, detectors)],
                args.why.shown,
            )?;
        }
        ExceptionsCommand::Remove(args) => {
            let reason = Reason {
                reason: args.reason,
            };
            let path = format!("{EXCEPTIONS}/{}/end", args.id);
            let ended: Exception = client::post(socket, &path, &reason)?;
            if args.shown.json {
                print_json(&ended)?;
            } else {
                let muted = several(ended.muted, "findings");
                print(&format!(
                    "exception {} for {} ended; it had muted {muted}\n",
                    ended.id, ended.whom
                ))?;
            }
        }
        ExceptionsCommand::Import(args) => import(socket, &args)?,
        ExceptionsCommand::Export(args) => export(socket, &args)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl WhyArgs {
    fn of(&self, whom: Whom, detectors: Vec<String>) -> NewException {
        let lasts = self.lasts.map(|span| {
            let nanos = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
            Time(now().0.saturating_add(nanos))
        });
        NewException {
            whom,
            detectors,
            until: self.until.or(lasts),
            reason: self.reason.clone(),
        }
    }
}

fn add(socket: &Path, args: AddArgs) -> anyhow::Result<()> {
    let WhomArgs {
        device,
        subnet,
        role,
    } = args.whom;
    let device = device.map(|address| Whom::Device(address.to_canonical()));
    let whom = device
        .or(subnet.map(|net| Whom::Subnet(net.trunc())))
        .or(role.map(Whom::Role));
    let whom = whom.context("name --device, --subnet or --role")?;
    make(
        socket,
        vec![args.why.of(whom, args.detectors)],
        args.why.shown,
    )
}

fn make(socket: &Path, exceptions: Vec<NewException>, shown: Shown) -> anyhow::Result<()> {
    let made: Vec<Exception> = client::post(socket, EXCEPTIONS, &NewExceptions { exceptions })?;
    if shown.json {
        return print_json(&made);
    }
    for one in &made {
        let which = if one.detectors.is_empty() {
            "all detectors".to_owned()
        } else {
            one.detectors.join(", ")
        };
        let until = one.until.map_or_else(
            || "for good".to_owned(),
            |it| format!("until {}", super::table::local(it)),
        );
        print(&format!(
            "exception {}: {which} muted for {} {until}\n",
            one.id, one.whom
        ))?;
    }
    Ok(())
}

fn import(socket: &Path, args: &ImportArgs) -> anyhow::Result<()> {
    let path = &args.file;
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text =
            fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    }
    let read = csv::read(&text, now());
    let new =
        read.map_err(|why| anyhow::anyhow!("{}: {why}; nothing was imported", path.display()))?;
    make(socket, new, args.shown)
}

fn export(socket: &Path, args: &ExportArgs) -> anyhow::Result<()> {
    let exceptions: Vec<Exception> = all(socket, EXCEPTIONS, &Query::default())?;
    // Those of labels come and go with their alerts.
    let by_hand = exceptions.iter().filter(|one| one.alert.is_none());
    let text = csv::write(by_hand);
    match &args.output {
        None => print(&text),
        Some(path) => write_file(path, |out| out.write_all(text.as_bytes()))
            .with_context(|| format!("can't write {}", path.display())),
    }
}
