//! `wardtap alerts`.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    Listed, Shown, print, print_json, shown_of,
    table::{local, table},
};
use crate::{
    alert::{Alert, Verdict},
    control::{
        api::{self, ALERTS, NewLabel, Page},
        client,
    },
};

const EXAMPLES: &str = "\
Examples:
  wardtap alerts list
  wardtap alerts show 7
  wardtap alerts label 7 benign --reason 'the new CT of room 3, change 4711'
  wardtap alerts label 7 malicious --reason 'laptop of an unknown person, taken away'

The label benign excepts such findings of the device for a while, and it is learnt again; malicious forgets what
was learnt of the device since the alert began.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AlertsCommand {
    /// List the alerts, the latest first
    List(Listed),
    /// Show an alert: evidence, what is usual, what to check, what was decided
    Show(ShowArgs),
    /// Say what an alert was
    #[command(after_help = EXAMPLES)]
    Label(LabelArgs),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Its number
    id: u64,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Its number
    id: u64,
    /// What it was
    verdict: Verdict,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, command: AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertsCommand::List(listed) => list(socket, &listed)?,
        AlertsCommand::Show(ShowArgs { id, shown }) => {
            let alert: Alert = client::get(socket, &format!("{ALERTS}/{id}"))?;
            if shown.json {
                print_json(&alert)?;
            } else {
                print(&text(&alert))?;
            }
        }
        AlertsCommand::Label(args) => {
            let label = NewLabel {
                verdict: args.verdict,
                reason: args.reason,
            };
            let path = format!("{ALERTS}/{}/label", args.id);
            let alert: Alert = client::post(socket, &path, &label)?;
            if args.shown.json {
                print_json(&alert)?;
            } else {
                let verdict = args.verdict.label();
                print(&format!("alert {} is labelled {verdict}\n", args.id))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(socket: &Path, listed: &Listed) -> anyhow::Result<()> {
    let page: Page<Alert> = client::get(socket, &api::target(ALERTS, &listed.query(None)))?;
    if listed.shown.json {
        return print_json(&page);
    }
    let end = shown_of(page.items.len(), listed, page.total, "alerts");
    if page.items.is_empty() {
        return print(&end);
    }
    let mut rows = table(&["id", "severity", "device", "what", "opened", "state"]);
    for alert in &page.items {
        rows.add_row([
            alert.id.to_string(),
            alert.severity.to_string(),
            alert.device.to_string(),
            alert.title.clone(),
            local(alert.opened),
            state(alert),
        ]);
    }
    print(&format!("{rows}\n{end}"))
}

fn state(alert: &Alert) -> String {
    let open = if alert.closed.is_some() {
        "over"
    } else {
        "goes on"
    };
    match &alert.label {
        Some(label) => format!("{open}, {}", label.verdict.label()),
        None if alert.kept_back => format!("{open}, kept back"),
        None => open.to_owned(),
    }
}

/// An alert for people.
pub(super) fn text(alert: &Alert) -> String {
    let mut text = format!(
        "Alert {}, {}, confidence {:.0} %: {} {}\n{} to {}, {}\nATT&CK: {}\n\nEvidence\n",
        alert.id,
        alert.severity,
        alert.confidence * 100.0,
        alert.device,
        if alert.suffers {
            "suffers it"
        } else {
            "is suspected"
        },
        local(alert.opened),
        local(alert.updated),
        state(alert),
        alert.techniques.join(", "),
    );
    let mut line = |line: String| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{line}");
    };
    for finding in &alert.findings {
        line(format!("  {}: {}", finding.detector, finding.evidence));
    }
    if !alert.features.is_empty() {
        line("\nFeatures".to_owned());
    }
    for one in &alert.features {
        let usual = match (one.usual, one.range) {
            (Some(usual), Some((low, high))) => format!("usual {usual}, within {low} to {high}"),
            _ => "nothing is known of what is usual".to_owned(),
        };
        line(format!("  {}: {}; {usual}", one.feature, one.value));
    }
    line("\nCheck first".to_owned());
    for check in &alert.check {
        line(format!("  {check}"));
    }
    if let Some(containment) = &alert.containment {
        line(format!("\nContainment would {}", containment.action));
        for peer in &containment.clinical {
            line(format!("  clinical traffic that stops: {peer}"));
        }
    }
    if !alert.decisions.is_empty() {
        line("\nDecided".to_owned());
    }
    for decided in &alert.decisions {
        let verdict = decided.verdict.replace('_', " ");
        line(format!(
            "  {} {verdict}: {}",
            local(decided.time),
            decided.reason
        ));
    }
    if let Some(label) = &alert.label {
        line(format!(
            "\nLabelled {} by {}: {}",
            label.verdict.label(),
            label.by,
            label.reason
        ));
    }
    text
}
