//! `wardtap top` as a person has it: in a terminal of 80 by 24 and eight colours, with a daemon in the path.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tests::{
    ability::{privileged, terminal},
    passage::Passage,
    program::Program,
    sensor::binary,
    site::SCANS_ALERT,
    terminal::Terminal,
    wait::wait_for,
    wire::Wire,
};

const SECONDS: Duration = Duration::from_secs(15);
const PROPOSE: &str = "[containment]\nmode = \"propose\"\n";
/// Who scans.
const SUSPECT: [u8; 4] = [10, 9, 0, 66];
const REASON: &str = "agreed with ward 3, q?1";

/// A daemon with a proposed rule, and a terminal.
struct Desk {
    // Dropped in this order: the terminal and the daemon before what they stand on.
    terminal: Terminal,
    daemon: Program,
    passage: Passage,
}

impl Desk {
    fn build(name: &str) -> Result<Option<Self>> {
        if !privileged() || !terminal() {
            return Ok(None);
        }
        let passage = Passage::build(name, &[PROPOSE, SCANS_ALERT].concat())?;
        Ok(Some(Self {
            terminal: Terminal::open(passage.folder())?,
            daemon: passage.start()?,
            passage,
        }))
    }

    /// Starts the live view; it says how it ended, and its process id is in a file.
    fn top(&self, environment: &str) -> Result<()> {
        let binary = binary()?;
        let folder = self.passage.folder().display();
        self.terminal.start(&format!(
            "{environment} sh -c 'echo $$ > {folder}/pid; exec {} --socket {folder}/control.sock top'; echo ended $?",
            binary.display()
        ))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = fs::read_to_string(self.passage.folder().join("pid"))?;
        Ok(kill(Pid::from_raw(id.trim().parse()?), signal)?)
    }

    /// Scans until a rule is proposed.
    fn scan(&self) -> Result<()> {
        let mut wire = Wire::open(&self.passage.left, "eth0")?;
        let mut proposed = Ok(());
        for _ in 0..4 {
            for port in 1..=40 {
                let mut frame = Vec::new();
                PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2])
                    .ipv4(SUSPECT, [10, 9, 0, 2], 64)
                    .udp(40_000, port)
                    .write(&mut frame, b"?")?;
                wire.send(&frame)?;
            }
            proposed = wait_for("a proposed rule", SECONDS / 2, || {
                (self.rule().ok()?["state"] == "proposed").then_some(())
            });
            if proposed.is_ok() {
                break;
            }
        }
        proposed
    }

    fn rule(&self) -> Result<Value> {
        Ok(self.passage.json(&["rules", "list"])?["items"][0].clone())
    }
}

#[test]
fn a_proposed_rule_is_read_approved_and_removed() -> Result<()> {
    let Some(desk) = Desk::build("top")? else {
        return Ok(());
    };
    desk.scan()?;
    let terminal = &desk.terminal;
    desk.top("")?;
    let screen = terminal.shows(
        "the overview",
        &["left0", "right0", "inline", "Packets", "/s", "q: end"],
    )?;
    println!("{screen}");
    ensure!(screen.contains("(1 proposed)"), "{screen}");
    ensure!(
        terminal.state("alternate_on")? == "1",
        "on the shell's screen"
    );
    ensure!(
        terminal.coloured()?.contains("\u{1b}["),
        "nothing stands out"
    );
    terminal.press(&["2"])?;
    println!(
        "{}",
        terminal.shows("the devices", &["10.9.0.66", "suspected", "Devices 1 of"])?
    );
    terminal.press(&["3"])?;
    println!(
        "{}",
        terminal.shows("the alerts", &["10.9.0.66", "T1046", "Alerts 1 of 1"])?
    );
    terminal.press(&["Enter"])?;
    println!(
        "{}",
        terminal.shows("its evidence", &["Alert 1:", "Evidence", "Check first"])?
    );
    terminal.press(&["Escape"])?;
    terminal.press(&["?"])?;
    terminal.shows("the help", &["approve the chosen rule"])?;
    terminal.press(&["Escape"])?;

    terminal.press(&["4"])?;
    terminal.shows("the rules", &["Rules 1 of 1", "proposed"])?;
    terminal.press(&["a"])?;
    terminal.shows("the question why", &["Approve rule 1", "Reason: _"])?;
    terminal.type_in(REASON)?;
    println!("{}", terminal.shows("the reason", &[REASON])?);
    terminal.press(&["Enter"])?;
    terminal.shows("the last question", &["Approve rule 1? y or n"])?;
    ensure!(
        desk.rule()?["state"] == "proposed",
        "approved without a yes"
    );
    terminal.press(&["y"])?;
    println!(
        "{}",
        terminal.shows("what was done", &["Rule 1 approved", "enabled"])?
    );
    ensure!(desk.rule()?["state"] == "enabled");

    // The same way it is lifted; with Escape it is not.
    for (last, done) in [("Escape", "Nothing was changed"), ("y", "Rule 1 removed")] {
        terminal.press(&["r"])?;
        terminal.shows("the question why", &["Remove rule 1", "Reason: _"])?;
        terminal.type_in("false alarm")?;
        terminal.press(&["Enter"])?;
        terminal.shows("the last question", &["Remove rule 1? y or n"])?;
        terminal.press(&[last])?;
        terminal.shows("what was done", &[done])?;
    }
    terminal.shows("that it is gone", &["There are no rules."])?;
    terminal.press(&["q"])?;
    terminal.given_back(0)?;

    // The trail names the person and the reason of both.
    let trail = desk.passage.trail();
    let trail = trail.to_str().context("a path that is no text")?;
    let shown = desk
        .passage
        .json(&["audit", "show", trail, "--last", "100"])?;
    for (action, reason) in [("rule_changed", REASON), ("rule_removed", "false alarm")] {
        let entry = shown.as_array().into_iter().flatten().find(|entry| {
            entry["action"] == action && entry["reason"] == reason && entry["id"] == 1
        });
        let entry = entry.with_context(|| format!("no {action} in {shown:#}"))?;
        ensure!(
            entry["actor"]["kind"] == "person" && entry["actor"]["name"] == "root",
            "{entry}"
        );
    }
    Ok(())
}

#[test]
fn keys_work_while_the_daemon_is_silent_or_gone() -> Result<()> {
    let Some(mut desk) = Desk::build("topgone")? else {
        return Ok(());
    };
    desk.top("")?;
    desk.terminal.shows("the overview", &["left0", "Packets"])?;
    // Stopped, it takes connections and never answers.
    let id = desk.daemon.id()?;
    kill(id, Signal::SIGSTOP)?;
    desk.terminal.press(&["5"])?;
    let turned = desk
        .terminal
        .shows("the model's tab", &["In use:", "ONNX Runtime"]);
    let said = desk
        .terminal
        .shows("that it is silent", &["NO DAEMON", "does not answer"]);
    kill(id, Signal::SIGCONT)?;
    turned?;
    said?;
    desk.terminal.comes_to("the daemon's answer", |screen| {
        !screen.contains("NO DAEMON")
    })?;

    desk.daemon.kill()?;
    let screen = desk
        .terminal
        .shows("that it is gone", &["NO DAEMON", "What is shown is of"])?;
    println!("{screen}");
    desk.terminal.press(&["1"])?;
    desk.terminal
        .shows("what was seen last", &["NO DAEMON", "left0"])?;
    desk.daemon = desk.passage.start()?;
    desk.terminal.comes_to("the new daemon", |screen| {
        !screen.contains("NO DAEMON") && screen.contains("Packets")
    })?;
    desk.terminal.press(&["C-c"])?;
    desk.terminal.given_back(0)
}

#[test]
fn the_terminal_is_given_back_whatever_ends_it() -> Result<()> {
    let Some(desk) = Desk::build("topend")? else {
        return Ok(());
    };
    for (signal, code) in [
        (Signal::SIGTERM, 143),
        (Signal::SIGINT, 130),
        (Signal::SIGHUP, 129),
    ] {
        desk.top("NO_COLOR=1")?;
        desk.terminal.shows("the overview", &["left0", "Packets"])?;
        let coloured = desk.terminal.coloured()?;
        let colour = (30..38).find(|code| coloured.contains(&format!("\u{1b}[{code}m")));
        ensure!(
            colour.is_none(),
            "colour {colour:?} despite NO_COLOR\n{coloured}"
        );
        desk.signal(signal)?;
        desk.terminal.given_back(code)?;
    }
    // What needs a terminal says so where there is none.
    let output = desk.passage.cli(&["top"])?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && said.contains("needs a terminal"),
        "{output:?}"
    );
    ensure!(output.stdout.is_empty());
    desk.terminal.start(&format!(
        "TERM=dumb {} top; echo ended $?",
        binary()?.display()
    ))?;
    desk.terminal.shows(
        "the same of a terminal that can't",
        &["needs a terminal", "ended 1"],
    )?;

    // What nobody can catch shows that the check sees it.
    desk.top("")?;
    desk.terminal.shows("the overview", &["left0", "Packets"])?;
    desk.signal(Signal::SIGKILL)?;
    ensure!(desk.terminal.given_back(137).is_err());
    Ok(())
}
