//! The names that are known at the site: what is looked for in words.

use std::collections::{BTreeSet, HashMap};

use sensor_sessions::inventory::HostReport;

use super::{Named, Pseudonyms};

/// Names with what they are of.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By the name in lower case: people and protocols don't always write it the same.
    known: HashMap<String, (Named, String)>,
    /// Lengths that there are, bytes.
    lengths: BTreeSet<usize>,
}

impl Names {
    /// Those of hosts: of themselves, their AE titles, applications and facilities.
    #[must_use]
    pub fn of<'a>(hosts: impl IntoIterator<Item = &'a HostReport>) -> Self {
        let mut names = Self::default();
        for host in hosts {
            for one in &host.names {
                names.add(Named::Host, &one.name);
            }
            for one in &host.ae_titles {
                names.add(Named::AeTitle, &one.title);
            }
            for one in &host.callers {
                names.add(Named::AeTitle, &one.title);
            }
            for one in &host.hl7_applications {
                for name in [&one.application, &one.facility].into_iter().flatten() {
                    names.add(Named::Application, name);
                }
            }
        }
        names
    }

    /// One more. Of one name that is of several things, the first kind of [`Named`] counts.
    pub fn add(&mut self, kind: Named, name: &str) {
        // As evidence quotes it.
        let quoted = format!("{name:?}");
        let quoted = quoted.trim_matches('"');
        for spelling in [name, quoted] {
            if is_number(spelling) {
                continue;
            }
            let key = spelling.to_ascii_lowercase();
            self.lengths.insert(key.len());
            let known = self
                .known
                .entry(key)
                .or_insert_with(|| (kind, name.to_owned()));
            if kind < known.0 {
                *known = (kind, name.to_owned());
            }
        }
    }

    /// The longest name that `text` begins with and that ends where a word does: its length and what it is of.
    pub(super) fn start(&self, text: &str) -> Option<(usize, Named, &str)> {
        self.lengths.iter().rev().find_map(|length| {
            let head = text.get(..*length)?;
            let goes_on = |text: &str| text.chars().next().is_some_and(char::is_alphanumeric);
            let ends = !head.ends_with(char::is_alphanumeric) || !goes_on(&text[*length..]);
            let (kind, name) = self.whole(head).filter(|_| ends)?;
            Some((*length, kind, name))
        })
    }

    /// What `text` as a whole is the name of.
    pub(super) fn whole(&self, text: &str) -> Option<(Named, &str)> {
        if !self.lengths.contains(&text.len()) {
            return None;
        }
        let (kind, name) = self.known.get(&text.to_ascii_lowercase())?;
        Some((*kind, name))
    }
}

/// Counts stand in all words, so a name that is a short number is no name there; in quotation marks it is one.
fn is_number(name: &str) -> bool {
    let name = name.trim();
    name.len() < 2 || name.len() < 6 && name.bytes().all(|byte| byte.is_ascii_digit())
}

impl Pseudonyms {
    /// A name's pseudonym; host names are the same in upper and lower case (RFC 1034 section 3.1).
    pub(super) fn named(&self, kind: Named, name: &str) -> String {
        match kind {
            Named::Host => self.name(kind, &name.trim_end_matches('.').to_ascii_lowercase()),
            _ => self.name(kind, name),
        }
    }
}
