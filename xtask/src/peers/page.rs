//! The tables of `docs/peers.md`, and the reasons of what differs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    compare::{Compared, Difference, Field},
    suite::Suite,
};

/// Reasons that are known: suite, capture, field, class, tab-separated. A star ends a beginning, or stands for all.
const KNOWN: &str = include_str!("known.tsv");
const UNEXPLAINED: &str = "unexplained";
/// Reasons that are a limit of the sensor. With any other one, it says what it is meant to say.
const LIMITS: [&str; 5] = [
    UNEXPLAINED,
    "content",
    "fragments",
    "not unwrapped",
    "within FTP",
];

/// What came of a suite.
pub(super) struct Result {
    pub(super) suite: &'static Suite,
    pub(super) version: String,
    pub(super) captures: usize,
    /// Captures that `wardtap` did not read, and why.
    pub(super) refused: BTreeMap<String, String>,
    /// Captures that the suite has results of, but that are not there.
    pub(super) absent: BTreeSet<String>,
    pub(super) compared: BTreeMap<String, Compared>,
}

/// Why a difference is there.
fn class(suite: &str, capture: &str, difference: &Difference) -> &'static str {
    if difference.field == Field::Version && difference.theirs.contains("draft") {
        return "draft";
    }
    let matches = |pattern: &str, text: &str| {
        pattern
            .strip_suffix('*')
            .map_or(pattern == text, |begin| text.starts_with(begin))
    };
    KNOWN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut words = line.split('\t');
            let known = matches(words.next()?, suite)
                && matches(words.next()?, capture)
                && matches(words.next()?, difference.field.title());
            known.then(|| words.next()).flatten()
        })
        .unwrap_or(UNEXPLAINED)
}

/// Prints each difference.
pub(super) fn list(measured: &Result) {
    let suite = measured.suite;
    for (capture, compared) in &measured.compared {
        for one in &compared.differences {
            println!(
                "{}\t{capture}\t{}\t{}\t{}\ttheirs {}\tours {}",
                suite.folder,
                one.field.title(),
                class(suite.folder, capture, one),
                one.of,
                one.theirs,
                one.ours
            );
        }
    }
    for (capture, reason) in &measured.refused {
        println!("{}\t{capture}\trefused\t{reason}", suite.folder);
    }
}

/// The tables. Writing to a string can't fail.
pub(super) fn page(measured: &[Result], missing: &[&Suite], date: &str, commit: &str) -> String {
    let mut text = format!("Measured on {date} with Wardtap {commit}.\n\n");
    for one in measured {
        let _ = writeln!(
            text,
            "- {}: {}; {} captures, refused: {}; results without a capture that can be read (absent, or packed as .gz): {}",
            one.suite.title,
            one.version,
            one.captures,
            names(one.refused.keys()),
            names(one.absent.iter())
        );
    }
    for suite in missing {
        let _ = writeln!(text, "- {}: missing", suite.title);
    }
    text += "\n| field |";
    for one in measured {
        let _ = write!(text, " {} |", one.suite.title);
    }
    let _ = writeln!(text, "\n| --- |{}", " --- |".repeat(measured.len()));
    for field in Field::ALL {
        let _ = write!(text, "| {} |", field.title());
        for one in measured {
            let _ = write!(text, " {} |", agreement(one, field));
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "\nOf the values of TLS that the sensor does not have, {} are of sessions that it does not mark as incomplete.",
        silent(measured)
    );
    text + &differences(measured)
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let list: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if list.is_empty() {
        "none".to_owned()
    } else {
        list.join(", ")
    }
}

fn agreement(measured: &Result, field: Field) -> String {
    let all: u64 = measured
        .compared
        .values()
        .filter_map(|one| one.values.get(&field))
        .sum();
    if all == 0 {
        return String::new();
    }
    let (mut differ, mut limits) = (0, 0);
    for (capture, compared) in &measured.compared {
        for one in compared.differences.iter().filter(|one| one.field == field) {
            differ += 1;
            limits += u64::from(LIMITS.contains(&class(measured.suite.folder, capture, one)));
        }
    }
    let share = |differ: u64| {
        let thousandths = (all - differ) * 1000 / all;
        format!("{}.{} %", thousandths / 10, thousandths % 10)
    };
    format!(
        "{} of {all}: {}, {}",
        all - differ,
        share(differ),
        share(limits)
    )
}

/// Values of TLS that the sensor does not have, though it marks nothing as incomplete.
fn silent(measured: &[Result]) -> usize {
    let compared = measured.iter().flat_map(|one| one.compared.values());
    compared
        .flat_map(|one| &one.differences)
        .filter(|one| one.field > Field::CommunityId && one.ours == "nothing")
        .count()
}

/// Differences by reason, then by capture.
fn differences(measured: &[Result]) -> String {
    let mut classes = BTreeMap::<&str, u64>::new();
    let mut rows = BTreeMap::<(&str, String, &str, Field), (u64, String)>::new();
    for one in measured {
        for (capture, compared) in &one.compared {
            for difference in &compared.differences {
                let class = class(one.suite.folder, capture, difference);
                *classes.entry(class).or_default() += 1;
                let key = (one.suite.folder, capture.clone(), class, difference.field);
                let example = || format!("{} / {}", difference.theirs, difference.ours);
                rows.entry(key).or_insert_with(|| (0, example())).0 += 1;
            }
        }
    }
    let mut text = "\n| reason | differences |\n| --- | --- |\n".to_owned();
    for (class, number) in classes {
        let _ = writeln!(text, "| {class} | {number} |");
    }
    text += "\n| capture | field | number | first: suite / Wardtap | reason |\n| --- | --- | --- | --- | --- |\n";
    for ((suite, capture, class, field), (number, example)) in rows {
        let _ = writeln!(
            text,
            "| {suite}: {capture} | {} | {number} | {} | {class} |",
            field.title(),
            example.replace('|', "\\|")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::suite::SUITES, *};

    fn measured(theirs: &str) -> Result {
        let difference = Difference {
            field: Field::Version,
            of: "tcp".to_owned(),
            theirs: theirs.to_owned(),
            ours: "nothing".to_owned(),
        };
        let compared = Compared {
            values: BTreeMap::from([(Field::Version, 4)]),
            differences: vec![difference],
        };
        Result {
            suite: &SUITES[0],
            version: "abc".to_owned(),
            captures: 1,
            refused: BTreeMap::new(),
            absent: BTreeSet::new(),
            compared: BTreeMap::from([("x.pcap".to_owned(), compared)]),
        }
    }

    #[test]
    fn differences_have_a_reason_or_are_unexplained() {
        let text = page(&[measured("TLS 1.2")], &[&SUITES[1]], "2026-01-01", "def");
        assert!(text.contains("3 of 4: 75.0 %, 75.0 %"), "{text}");
        assert!(text.contains("| unexplained | 1 |"), "{text}");
        assert!(text.contains("suricata-verify: missing"), "{text}");
        let text = page(&[measured("TLS 1.3 draft 14")], &[], "2026-01-01", "def");
        assert!(text.contains("3 of 4: 75.0 %, 100.0 %"), "{text}");
    }

    #[test]
    fn each_reason_is_explained() {
        let path = crate::workspace::root().join("docs/peers.md");
        let text = std::fs::read_to_string(path).unwrap();
        for line in KNOWN.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split('\t').collect();
            let [_, _, _, reason] = words[..] else {
                panic!("{line}")
            };
            assert!(text.contains(&format!("| `{reason}` |")), "{reason}");
        }
    }
}
