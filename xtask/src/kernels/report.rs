//! What the guests' consoles say, as a table.

use std::fmt::Write;

use super::package::{Kernel, RELEASES};

/// What became of a guest.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What `uname -r` says.
    pub kernel: String,
    /// Program and place, and the verifier's instructions, or `-` where the kernel has no such program.
    verifier: Vec<(String, String)>,
    /// Test and whether it passed.
    checks: Vec<(String, bool)>,
    /// The guest came to its end.
    ended: bool,
    console: String,
}

impl Outcome {
    /// Takes the outcome from what the guest printed on its console.
    pub(crate) fn read(kernel: &Kernel, console: &str) -> Self {
        let mut outcome = Self {
            kernel: kernel.release.clone(),
            console: console.to_owned(),
            ..Self::default()
        };
        let mut file = "";
        for line in console.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("guest: begin ") {
                file = name;
            } else if let Some(end) = line.strip_prefix("guest: end ") {
                // A test binary that failed otherwise than by a test.
                if !end.ends_with(" 0") {
                    outcome.checks.push((format!("{file}.rs"), false));
                }
            } else if line == "guest: done" {
                outcome.ended = true;
            } else if let Some(count) = line.strip_prefix("verifier: ") {
                if let Some((program, count)) = count.rsplit_once(' ') {
                    outcome.verifier.push((program.into(), grouped(count)));
                }
            } else if let Some((name, result)) = line
                .strip_prefix("test ")
                .and_then(|line| line.split_once(" ... "))
            {
                let name = format!("{}: {}", file, name.replace('_', " "));
                outcome.checks.push((name, result == "ok"));
            }
        }
        outcome
    }

    /// True if all tests ran and passed.
    pub(crate) fn holds(&self) -> bool {
        self.ended && !self.checks.is_empty() && self.checks.iter().all(|(_, passed)| *passed)
    }

    /// Prints the console if something does not hold.
    pub(crate) fn explain(&self) {
        if !self.holds() {
            println!("The console of {}:\n{}", self.kernel, self.console);
        }
    }
}

/// A number with its thousands apart.
fn grouped(number: &str) -> String {
    let mut text = String::new();
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && (number.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Rows of what was found, a column for each kernel.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(outcomes.iter().map(|outcome| outcome.kernel.clone()));
    let names = |of: &dyn Fn(&Outcome) -> Vec<String>| {
        let mut names: Vec<String> = Vec::new();
        for name in outcomes.iter().flat_map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    let find = |list: Option<&str>| list.unwrap_or("not run").to_owned();
    for name in names(&|outcome| {
        outcome
            .verifier
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }) {
        let mut row = vec![format!("`{name}`")];
        row.extend(outcomes.iter().map(|outcome| {
            let cell = outcome.verifier.iter().find(|(one, _)| *one == name);
            find(cell.map(|(_, count)| count.as_str()))
        }));
        rows.push(row);
    }
    for name in names(&|outcome| {
        outcome
            .checks
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }) {
        let mut row = vec![name.clone()];
        row.extend(outcomes.iter().map(|outcome| {
            let cell = outcome.checks.iter().find(|(one, _)| *one == name);
            find(cell.map(|(_, passed)| if *passed { "ok" } else { "FAILED" }))
        }));
        rows.push(row);
    }
    markdown(&rows)
}

fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "| {} ", "-".repeat((*width).max(3)));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// The text of `docs/kernels.md`.
pub(crate) fn page(outcomes: &[Outcome]) -> String {
    let names: Vec<_> = RELEASES.iter().map(|release| release.name).collect();
    format!(
        "# Kernels\n\n\
         `cargo xtask kernels` boots Debian's kernels ({}) in QEMU, runs these tests of the workspace in each, and writes this page. \
         `cargo xtask test` boots the oldest.\n\n\
         The first rows are programs, at a mirror and in the path, with the instructions that the verifier looked at before it took \
         them; it allows a million. `wardtap_frags` is for large MTUs and needs Linux 5.18. The others are tests by file and name \
         (`tests/tests`). Those of `kernel` run the daemon in the path between two hosts: real connections make flow, DICOM and HL7 events; a rule drops \
         until its time is over by the kernel's clock, the daemon being dead; the next daemon takes over rules and counters.\n\n{}",
        names.join(", "),
        table(outcomes)
    )
}

#[cfg(test)]
mod unit {
    use super::*;

    fn outcome(console: &str) -> Outcome {
        let kernel = Kernel {
            name: "5.10",
            release: "5.10.0-46-cloud-amd64".into(),
            image: "vmlinuz".into(),
            modules: "modules".into(),
        };
        Outcome::read(&kernel, console)
    }

    const CONSOLE: &str = "guest: begin kernel\r\nrunning 2 tests\r\ntest a_rule_drops ... ok\r\n\
        ---- a stdout ----\r\nverifier: wardtap mirror 123456\r\nverifier: wardtap_frags mirror -\r\nguest: end kernel 0\r\n";

    #[test]
    fn a_guest_that_does_not_come_to_its_end_has_failed() {
        assert!(!outcome(CONSOLE).holds());
        assert!(!outcome("guest: done").holds(), "no test ran");
        let whole = outcome(&format!("{CONSOLE}guest: done\r\n"));
        assert!(whole.holds());
        let said = table(&[whole]);
        for row in [
            "| `wardtap mirror`       | 123,456 ",
            "| `wardtap_frags mirror` | - ",
            "| kernel: a rule drops   | ok ",
        ] {
            assert!(said.contains(row), "{said}");
        }
    }

    #[test]
    fn a_test_that_failed_or_crashed_has_failed() {
        for (from, to) in [("... ok", "... FAILED"), ("end kernel 0", "end kernel 139")] {
            let console = format!("{CONSOLE}guest: done\r\n").replace(from, to);
            assert!(!outcome(&console).holds(), "{console}");
        }
    }
}
