//! `docs/commands.md`, made from the command line's declarations.

use std::{env, fmt::Write, fs, path::Path};

use clap::{Command, CommandFactory};

use super::Cli;

const HEAD: &str = "# Commands

`wardtap COMMAND --help` explains a command with all its options, and `man wardtap-COMMAND` says the same. Every command that asks
the daemon takes `--socket PATH`. Exit codes: 0 is done, 1 is failed, 2 is a wrong command line.

This page is made from the declarations in `sensor/src/cli`; after a change there run
`UPDATE_DOCS=1 cargo test -p sensor --lib cli::docs`. Man pages (`wardtap man`) and completions (`wardtap completions`) come from
the same declarations.

| command | does | options |
| --- | --- | --- |
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands() {
        rows(&mut page, command, "wardtap");
    }
    page
}

/// A row for each command that does something by itself.
fn rows(page: &mut String, command: &Command, path: &str) {
    if command.get_name() == "help" || command.is_hide_set() {
        return;
    }
    let path = format!("{path} {}", command.get_name());
    if command.is_subcommand_required_set() {
        for below in command.get_subcommands() {
            rows(page, below, &path);
        }
        return;
    }
    let places: Vec<_> = command.get_positionals().map(ToString::to_string).collect();
    let options: Vec<_> =
        command
            .get_opts()
            .chain(command.get_arguments().filter(|argument| {
                !argument.is_positional() && !argument.get_action().takes_values()
            }))
            .filter(|option| !option.is_global_set() && !option.is_hide_set())
            .filter_map(|option| option.get_long())
            .filter(|name| !["help", "version"].contains(name))
            .map(|name| format!("`--{name}`"))
            .collect();
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default().replace('|', "\\|");
    let line = [path, places.join(" ")].join(" ");
    let (line, options) = (line.trim_end(), options.join(", "));
    // Writing to a string can't fail.
    let _ = writeln!(page, "| `{line}` | {about} | {options} |");
}

/// `UPDATE_DOCS=1` writes the page instead of comparing it.
#[test]
fn the_page_of_commands_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let page = page();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/commands.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor --lib cli::docs`"
    );
}
