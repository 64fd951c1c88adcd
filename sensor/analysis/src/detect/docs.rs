//! What documents say of detectors is what the detectors declare.
//!
//! `UPDATE_DOCS=1 cargo test -p sensor-analysis docs` writes the documents instead of comparing them.

use std::{collections::BTreeSet, env, fmt::Write, fs, path::PathBuf};

use serde_json::Value;

use super::{
    detectors::ALL,
    shared,
    threshold::{self, Threshold},
};

const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p sensor-analysis docs";

/// Checks, or writes, a document of which a part is made from the declarations.
fn is_current(path: &str, part: impl Fn(&str) -> String) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let current = part(&text);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &current).unwrap_or_else(|error| panic!("{path}: {error}"));
    } else {
        assert!(text == current, "{path} is not current: run `{COMMAND}`");
    }
}

/// The text with another part between the first `begin` and the next `end`.
fn replaced(text: &str, begin: &str, end: &str, part: &str) -> String {
    let (head, rest) = text
        .split_once(begin)
        .unwrap_or_else(|| panic!("no {begin:?}"));
    let (_, tail) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("no {end:?} after {begin:?}"));
    format!("{head}{begin}{part}{end}{tail}")
}

fn marked(text: &str, name: &str, table: &str) -> String {
    let begin = format!("<!-- {name}: made by `{COMMAND}` -->\n");
    replaced(text, &begin, &format!("<!-- end of {name} -->\n"), table)
}

/// The file that lists the detectors, made of the names of their files.
fn list() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/detect/detectors");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{error}"));
    let names: BTreeSet<String> = files
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .filter(|name| name != "mod")
        .collect();
    let (mut modules, mut all) = (String::new(), String::new());
    for name in names {
        let _ = writeln!(modules, "mod {name};");
        let _ = writeln!(all, "    &{name}::ABOUT,");
    }
    format!(
        "\
//! The detectors, a file each, named by the detector's id. Each declares all about it in its `ABOUT`.
//!
//! This file is made of the list of files by `{COMMAND}`.

{modules}
use super::about::About;

/// All detectors, in the order in which they are asked.
pub static ALL: &[&About] = &[
{all}];
"
    )
}

/// A detector that was added is only compiled from the next run on; the documents follow then.
#[test]
fn every_file_of_a_detector_is_listed() {
    let path = "sensor/analysis/src/detect/detectors/mod.rs";
    let before = ALL.len();
    is_current(path, |_| list());
    let now = list().matches("::ABOUT,").count();
    assert!(
        before == now,
        "{now} detectors are listed and this test was compiled with {before}: run `{COMMAND}` again"
    );
}

fn detectors() -> String {
    let mut table =
        "| detector | ATT&CK | works | finds | wrong if |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for about in ALL {
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} | {} |",
            about.id,
            about.techniques.join(", "),
            about.starts.label(),
            about.finds,
            about.wrong_if.join("; "),
        );
    }
    table
}

fn thresholds() -> String {
    let mut table =
        "| detector | key | default | range | meaning |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    let mut row = |id: &str, one: &Threshold| {
        let help: Vec<&str> = one.help.split_whitespace().collect();
        let unit = match one.default {
            threshold::Value::Bytes(_) => " bytes",
            _ => "",
        };
        let (key, help) = (one.key, help.join(" "));
        let _ = writeln!(
            table,
            "| {id} | `{key}` | {}{unit} | {} to {} | {help} |",
            one.default, one.least, one.most
        );
    };
    for one in shared::THRESHOLDS {
        row("several", one);
    }
    for about in ALL {
        for one in about.thresholds {
            row(&format!("`{}`", about.id), one);
        }
    }
    table
}

#[test]
fn the_tables_of_the_detection_page_are_current() {
    is_current("docs/detection.md", |text| {
        let text = marked(text, "detectors", &detectors());
        marked(&text, "thresholds", &thresholds())
    });
}

#[test]
fn the_event_schema_lists_the_detectors() {
    is_current("docs/events.schema.json", |text| {
        let mut schema: Value = serde_json::from_str(text).unwrap_or_default();
        let names: Vec<_> = ALL.iter().map(|about| about.id).collect();
        schema["$defs"]["Finding"]["properties"]["detector"]["enum"] = names.into();
        format!("{schema:#}\n")
    });
}

#[test]
fn the_readme_counts_the_detectors() {
    is_current("README.md", |text| {
        let Some((head, tail)) = text.split_once(" detectors") else {
            return text.to_owned();
        };
        let before = head.trim_end_matches(|one: char| one.is_ascii_digit());
        let number = &head[before.len()..];
        let number = if number.is_empty() {
            String::new()
        } else {
            ALL.len().to_string()
        };
        format!("{before}{number} detectors{tail}")
    });
}

#[test]
fn every_declaration_is_whole() {
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::from(["off", "inside"]));
    let mut rows: Vec<&Threshold> = shared::THRESHOLDS.iter().collect();
    for about in ALL {
        assert!(ids.insert(about.id), "{} is there twice", about.id);
        let file = format!("src/detect/detectors/{}.rs", about.id);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&file);
        assert!(path.is_file(), "{} has no file {file}", about.id);
        assert!(
            !about.finds.is_empty() && !about.wrong_if.is_empty(),
            "{}",
            about.id
        );
        assert!(!about.techniques.is_empty(), "{}", about.id);
        for technique in about.techniques {
            let number = technique.strip_prefix('T').and_then(|it| it.get(..4));
            assert!(
                number.is_some_and(|it| it.parse::<u16>().is_ok()),
                "{technique}"
            );
        }
        rows.extend(about.thresholds);
    }
    for one in rows {
        assert!(keys.insert(one.key), "{} is there twice", one.key);
        assert_eq!(one.check(one.default), Ok(one.default), "{}", one.key);
        assert!(
            one.help.trim_end().ends_with('.'),
            "{}: {}",
            one.key,
            one.help
        );
    }
}
