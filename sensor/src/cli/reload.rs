//! `wardtap reload`.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use clap::Args;
use sensor_facts::{action::ConfigurationChange, words::several};

use super::{Shown, print, print_json};
use crate::control::{
    api::{NewReload, RELOAD},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap config check && wardtap reload
  wardtap reload --json

It reads the file that the daemon was started with, as `systemctl reload wardtap` does, and says what changed. If the
file has an error, the old configuration stays in force and the exit code is 1. The audit trail names you either way.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, args: &ReloadArgs) -> anyhow::Result<ExitCode> {
    let change: ConfigurationChange = client::post(socket, RELOAD, &NewReload {})?;
    if args.shown.json {
        print_json(&change)?;
    } else {
        print(&text(&change))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(change: &ConfigurationChange) -> String {
    let changed = change.changes.len() as u64 + change.omitted;
    let mut text = if changed == 0 {
        "Reloaded. No setting has changed.\n".to_owned()
    } else {
        format!("Reloaded. {} changed:\n", several(changed, "settings"))
    };
    for one in &change.changes {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {one}");
    }
    if change.omitted > 0 {
        let _ = writeln!(text, "  and {} more", change.omitted);
    }
    for (what, names) in [
        ("Detectors switched off", &change.detectors_off),
        ("Detectors switched on", &change.detectors_on),
        ("Restart the daemon to apply", &change.restart),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "{what}: {}.", names.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use sensor_facts::action::{ChangedKey, Concern, Occasion};

    use super::*;

    #[test]
    fn what_changed_is_said_by_key() {
        let mut change = ConfigurationChange {
            occasion: Occasion::Reload,
            config: String::new(),
            detectors_off: Vec::new(),
            detectors_on: Vec::new(),
            changes: Vec::new(),
            omitted: 0,
            restart: Vec::new(),
        };
        assert_eq!(text(&change), "Reloaded. No setting has changed.\n");
        change.changes.push(ChangedKey {
            key: "detect.scan_targets".to_owned(),
            concern: Concern::Threshold,
            old: Some("20".to_owned()),
            new: Some("77".to_owned()),
        });
        change.detectors_off.push("scan".to_owned());
        change.restart.push("ring.size".to_owned());
        assert_eq!(
            text(&change),
            "Reloaded. 1 setting changed:\n  detect.scan_targets: 20 -> 77\nDetectors switched off: scan.\n\
             Restart the daemon to apply: ring.size.\n"
        );
    }
}
