//! The table of conditions in `docs/events.md`, made from the conditions.

use std::{env, fmt::Write, fs, path::Path};

use super::Condition;

const BEGIN: &str = "<!-- made from sensor/facts/src/mirror/mod.rs -->\n";
const END: &str = "<!-- until here -->\n";

/// `UPDATE_DOCS=1` writes the table instead of comparing it.
#[test]
fn the_page_has_the_current_conditions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let old = fs::read_to_string(&path).expect("the page");
    let (before, rest) = old.split_once(BEGIN).expect("the begin of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let mut table =
        "| condition | what it means | what to check |\n| --- | --- | --- |\n".to_owned();
    for one in Condition::ALL {
        let (name, help, check) = (one.label(), one.help(), one.check());
        // Writing to a string can't fail.
        let _ = writeln!(table, "| `{name}` | {help} | {check} |");
    }
    let new = format!("{before}{BEGIN}{table}{END}{after}");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, new).expect("the page is written");
        return;
    }
    assert!(
        old == new,
        "docs/events.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor-facts page`"
    );
}
