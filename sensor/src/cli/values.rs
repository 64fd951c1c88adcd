//! Words for values of the crates below, which know nothing of the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use sensor_facts::{alert::Verdict, rule::Scope, target::Transport};

/// A word, what it stands for, and its line in the help.
type Word<T> = (&'static str, T, &'static str);

const TRANSPORTS: &[Word<Transport>] = &[
    ("tcp", Transport::Tcp, "RFC 9293"),
    ("udp", Transport::Udp, "RFC 768"),
    ("sctp", Transport::Sctp, "RFC 9260"),
];

const SCOPES: &[Word<Scope>] = &[
    ("all", Scope::All, "All of it"),
    (
        "keep-clinical",
        Scope::KeepClinical,
        "All but the device's learnt clinical traffic, and what an address lives by (ARP, neighbour discovery, DHCP). For a device only, by IP or Ethernet address",
    ),
];

const VERDICTS: &[Word<Verdict>] = &[
    (
        "benign",
        Verdict::Benign,
        "Harmless: mutes this kind of finding for this device for a while, and learning about it resumes",
    ),
    (
        "malicious",
        Verdict::Malicious,
        "An attack: what was learnt of the device since it began is forgotten",
    ),
];

/// Reads a transport.
pub(super) fn transport() -> impl TypedValueParser<Value = Transport> {
    words(TRANSPORTS)
}

/// Reads how much of its target's traffic a rule drops.
pub(super) fn scope() -> impl TypedValueParser<Value = Scope> {
    words(SCOPES)
}

/// Reads what an alert was.
pub(super) fn verdict() -> impl TypedValueParser<Value = Verdict> {
    words(VERDICTS)
}

/// The transport of a word.
pub(super) fn transport_named(word: &str) -> Option<Transport> {
    named(TRANSPORTS, word)
}

fn named<T: Copy>(words: &[Word<T>], word: &str) -> Option<T> {
    let found = words.iter().find(|(known, ..)| *known == word);
    found.map(|(_, value, _)| *value)
}

fn words<T>(words: &'static [Word<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let shown = words
        .iter()
        .map(|(word, _, help)| PossibleValue::new(*word).help(*help));
    PossibleValuesParser::new(shown)
        .try_map(|word| named(words, &word).ok_or("it is none of the words"))
}
