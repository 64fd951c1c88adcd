//! The section `[detect]` of the configuration as a person reads it.

use std::fmt::Write;

use super::{detectors::ALL, shared::THRESHOLDS, threshold::Threshold};

/// Characters of a line of help.
const WIDTH: usize = 110;

/// The section with its defaults, and what each key is for.
#[must_use]
pub fn default_toml() -> String {
    let mut text = "[detect]\n".to_owned();
    let ids: Vec<&str> = ALL.iter().map(|about| about.id).collect();
    comment(
        &mut text,
        &format!(
            "Names of detectors that are off. There are: {}.",
            ids.join(", ")
        ),
    );
    text.push_str("off = []\n");
    comment(
        &mut text,
        "Networks that belong to the site, beside private ones.",
    );
    text.push_str("inside = []\n");
    keys(&mut text, THRESHOLDS);
    for about in ALL.iter().filter(|about| !about.thresholds.is_empty()) {
        text.push('\n');
        comment(&mut text, &format!("{}: {}.", about.id, about.finds));
        keys(&mut text, about.thresholds);
    }
    text
}

fn keys(text: &mut String, thresholds: &[Threshold]) {
    for one in thresholds {
        comment(text, one.help);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} = {}", one.key, one.default);
    }
}

/// Adds words as comment lines.
fn comment(text: &mut String, words: &str) {
    let mut line = "#".to_owned();
    for word in words.split_whitespace() {
        if line.len() + word.len() >= WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
