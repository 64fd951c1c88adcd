//! `wardtap completions`.

use std::{io, process::ExitCode};

use clap::{Args, Command};
use clap_complete::{Shell, generate};

const EXAMPLES: &str = "\
Examples:
  wardtap completions bash > /etc/bash_completion.d/wardtap
  wardtap completions zsh > /usr/share/zsh/site-functions/_wardtap";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> ExitCode {
    let mut text = Vec::new();
    generate(args.shell, &mut command, "wardtap", &mut text);
    // Nothing is lost with a reader that has gone.
    let _ = io::Write::write_all(&mut io::stdout(), &text);
    ExitCode::SUCCESS
}
