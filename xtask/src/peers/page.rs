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
            "- {}: {}; {} captures, of which {} were refused; results of {} captures that are not there",
            one.suite.title,
            one.version,
            one.captures,
            one.refused.len(),
            one.absent.len()
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
    text + &differences(measured)
}

fn agreement(measured: &Result, field: Field) -> String {
    let all: u64 = measured
        .compared
        .values()
        .filter_map(|one| one.values.get(&field))
        .sum();
    let differ = measured
        .compared
        .values()
        .flat_map(|one| &one.differences)
        .filter(|one| one.field == field)
        .count() as u64;
    if all == 0 {
        return String::new();
    }
    let thousandths = (all - differ) * 1000 / all;
    format!(
        "{} of {all} ({}.{} %)",
        all - differ,
        thousandths / 10,
        thousandths % 10
    )
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
