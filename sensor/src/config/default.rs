//! The default configuration as a person reads it, made from the sections' declarations.

use sensor_facts::setting::{Key, Section, Value};

use super::Config;

/// Columns of the text, where words allow it.
const WIDTH: usize = 110;

/// A configuration file that has each key with its default, and says what each is for. What is not set by default is
/// commented out.
#[must_use]
pub fn default_text() -> String {
    let mut text = String::new();
    comment(&mut text, Config::ABOUT);
    table(&mut text, "", &Config::keys(), "");
    text
}

/// The keys of a section, then the sections in it. `mark` comments out what is not there by default.
fn table(text: &mut String, path: &str, keys: &[Key], mark: &str) {
    for key in keys {
        let (mark, value) = match &key.value {
            Value::Default(value) | Value::Required(value) => (mark, value),
            Value::Example(value) => ("#", value),
            Value::Table(_) | Value::Optional(_) | Value::List(_) => continue,
        };
        comment(text, &key.help);
        line(text, &format!("{mark}{} = {value}", key.name));
    }
    for key in keys {
        let path = if path.is_empty() {
            key.name.to_owned()
        } else {
            format!("{path}.{}", key.name)
        };
        let (keys, mark, head) = match &key.value {
            Value::Table(keys) => (keys, mark, format!("[{path}]")),
            Value::Optional(keys) => (keys, "#", format!("[{path}]")),
            Value::List(keys) => (keys, "#", format!("[[{path}]]")),
            Value::Default(_) | Value::Example(_) | Value::Required(_) => continue,
        };
        text.push('\n');
        comment(text, &key.help);
        // A section that holds nothing but sections needs no head.
        if keys.iter().any(|key| !key.is_section()) {
            line(text, &format!("{mark}{head}"));
        }
        table(text, &path, keys, mark);
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A comment in lines of a width that fits a terminal.
fn comment(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split_whitespace() {
        if width > 0 && width + 1 + word.chars().count() > WIDTH {
            text.push('\n');
            width = 0;
        }
        text.push_str(if width == 0 { "# " } else { " " });
        text.push_str(word);
        width += 1 + word.chars().count();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_text_says_the_defaults() {
        assert_eq!(Config::parse(&default_text()), Ok(Config::default()));
    }

    /// Each key of the default configuration, and each that is commented out, is there once in its section.
    #[test]
    fn the_default_text_has_every_key() {
        fn check(text: &str, path: &str, keys: &[Key]) {
            for key in keys {
                let inner = if path.is_empty() {
                    key.name.to_owned()
                } else {
                    format!("{path}.{}", key.name)
                };
                if let Some(keys) = key.section() {
                    check(text, &inner, keys);
                    continue;
                }
                let heads = [format!("[{path}]\n"), format!("[[{path}]]\n")];
                let sections: Vec<_> = heads
                    .iter()
                    .filter_map(|head| text.split_once(head.as_str()))
                    .collect();
                assert_eq!(sections.len(), 1, "{path}");
                let lines = sections[0]
                    .1
                    .lines()
                    .take_while(|line| !line.trim_start_matches('#').starts_with('['));
                let start = format!("{} = ", key.name);
                let found = lines
                    .filter(|line| line.trim_start_matches('#').starts_with(&start))
                    .count();
                assert_eq!(found, 1, "{inner}");
                assert!(key.help.len() > 5, "{inner} is not explained");
            }
        }
        check(&default_text(), "", &Config::keys());
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let mut config = Config::default();
        config.flow.idle_tcp = "90s".parse().expect("a span");
        assert_eq!(Config::parse(&config.to_toml()), Ok(config));
    }

    /// What is commented out can be used as it is, but for the files that it names.
    #[test]
    fn the_examples_can_be_read() {
        let text: String = default_text()
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| line.trim_start_matches('#'))
            .filter(|line| {
                let file = ["path", "windows", "runtime", "ca", "certificate", "key"];
                !line
                    .split_once(" = ")
                    .is_some_and(|(key, value)| file.contains(&key) && !value.contains(".jsonl"))
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let config = Config::parse(&text).expect("examples");
        assert_eq!(config.interface, [crate::config::Interface::named("eth1")]);
        assert_eq!(config.output.syslog.len(), 1);
    }
}
