//! `docs/configuration.md`, made from the sections' declarations.

use std::{env, fmt::Write, fs, path::Path};

use sensor_facts::setting::{Key, Section, Value, line};

use super::Config;

const HEAD: &str = "# Configuration

The file is `/etc/wardtap/wardtap.toml`, in TOML. `wardtap config default` prints it with all defaults and comments,
`wardtap config check` checks a file, and `wardtap reload` puts it in force. A key that is left out has its default.
A time is written as `90s`, `10m`, `4h` or `2d`, a size as `512MiB` or `20GiB`.

This page is made from the declarations of the sections (`sensor/src/config.rs` and the `config` modules of the other
crates). After a change there run `UPDATE_DOCS=1 cargo test -p sensor --lib config`.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    table(&mut page, "", &Config::keys());
    page
}

fn table(page: &mut String, path: &str, keys: &[Key]) {
    for key in keys {
        let (inner, brackets) = match &key.value {
            Value::Table(keys) | Value::Optional(keys) => (keys, ("[", "]")),
            Value::List(keys) => (keys, ("[[", "]]")),
            _ => continue,
        };
        let path = if path.is_empty() {
            key.name.to_owned()
        } else {
            format!("{path}.{}", key.name)
        };
        let (open, close) = brackets;
        // Writing to a string can't fail.
        let _ = write!(page, "\n## `{open}{path}{close}`\n\n{}\n", key.line());
        let plain: Vec<_> = inner.iter().filter(|key| !key.is_section()).collect();
        if !plain.is_empty() {
            page.push_str("\n| key | default | unit | meaning |\n| --- | --- | --- | --- |\n");
        }
        for key in plain {
            let value = match &key.value {
                Value::Default(value) => format!("`{value}`"),
                Value::Required(value) => format!("required, such as `{value}`"),
                Value::Example(value) => format!("not set; such as `{value}`"),
                _ => continue,
            };
            let _ = writeln!(
                page,
                "| `{}` | {value} | {} | {} |",
                key.name,
                key.unit,
                line(&key.help).replace('|', "\\|")
            );
        }
        table(page, &path, inner);
    }
}

/// `UPDATE_DOCS=1` writes the page instead of comparing it.
#[test]
fn the_configuration_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = page();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/configuration.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor --lib config`"
    );
}
