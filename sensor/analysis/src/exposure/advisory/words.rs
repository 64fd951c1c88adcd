//! Words of vendors, products and devices, as they are compared.

use std::collections::BTreeSet;

/// Words that say nothing of which maker or product it is.
const GENERIC: [&str; 57] = [
    "ab",
    "ag",
    "all",
    "and",
    "application",
    "bv",
    "client",
    "co",
    "company",
    "control",
    "corp",
    "corporation",
    "device",
    "devices",
    "equipment",
    "family",
    "firmware",
    "for",
    "gmbh",
    "group",
    "hardware",
    "health",
    "healthcare",
    "image",
    "imaging",
    "inc",
    "infusion",
    "international",
    "kg",
    "limited",
    "llc",
    "ltd",
    "medical",
    "module",
    "monitor",
    "monitoring",
    "patient",
    "product",
    "products",
    "pump",
    "sa",
    "series",
    "server",
    "software",
    "solution",
    "solutions",
    "station",
    "system",
    "systems",
    "technologies",
    "technology",
    "the",
    "version",
    "versions",
    "viewer",
    "with",
    "workstation",
];

/// The words of a name that tell it from others, in small letters, each once.
pub(super) fn telling(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in plain(text) {
        let tells = word.chars().count() > 1 && !GENERIC.contains(&word.as_str());
        if tells && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// All words of a text of a device, also with their neighbours and in their parts: so that `CMS 8000`, `CMS8000` and
/// `CMS_8000_FW` are found alike.
pub(super) fn of_device(text: &str) -> BTreeSet<String> {
    let words = plain(text);
    let pairs = words.windows(2).map(<[String]>::concat);
    let mut all: BTreeSet<String> = pairs.collect();
    for word in words {
        all.extend(parts(&word));
        all.insert(word);
    }
    all
}

fn plain(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A word's letters and digits apart; nothing if it has only one of them.
fn parts(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut digits = None;
    for letter in word.chars() {
        let is_digit = letter.is_ascii_digit();
        match parts.last_mut() {
            Some(last) if digits == Some(is_digit) => last.push(letter),
            _ => parts.push(letter.to_string()),
        }
        digits = Some(is_digit);
    }
    if parts.len() < 2 { Vec::new() } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_what_is_their_own() {
        assert_eq!(telling("B. Braun Melsungen AG"), ["braun", "melsungen"]);
        assert_eq!(telling("CMS8000 Patient Monitor Firmware"), ["cms8000"]);
        assert!(telling("Patient Monitor").is_empty());
        assert!(GENERIC.is_sorted());
    }

    #[test]
    fn spelling_does_not_matter() {
        for text in ["CMS8000", "cms 8000", "FW_CMS-8000_2"] {
            assert!(of_device(text).contains("cms8000"), "{text}");
        }
        assert!(of_device("CMS8000").contains("8000"));
    }
}
