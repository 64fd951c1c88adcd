//! `wardtap unload`.

use std::process::ExitCode;

use clap::Args;

use super::{Shown, print, print_json};
use crate::kernel::{self, PIN_ROOT};

const EXAMPLES: &str = "\
With an interface in the path (role inline) the programs stay on it when the daemon ends, so that a restart
leaves no gap. This takes them off for good, and all rules with them; the next start of the daemon
puts the rules in force again that have not ended.";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct UnloadArgs {
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(args: &UnloadArgs) -> anyhow::Result<ExitCode> {
    let links = kernel::unload(PIN_ROOT.as_ref())?;
    if args.shown.json {
        print_json(&serde_json::json!({ "interfaces": links }))?;
    } else {
        print(&format!("programs taken off {links} interfaces\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
