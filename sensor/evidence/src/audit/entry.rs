//! A line of the trail.
//!
//! `{"seq":1,...,"prev":"HASH","hash":"HASH"}`: the last two members are always written so. The hash is
//! BLAKE3 over the hash before (as its 64 hex digits) and the bytes of the line up to `,"prev"`: what is
//! hashed is what stands there, not what a reader makes of it.

use sensor_facts::{action::Action, rule::Actor, time::Time};
use serde::{Deserialize, Serialize};

/// The hash before the first entry.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const PREV: &str = ",\"prev\":\"";
const HASH: &str = "\",\"hash\":\"";
const END: &str = "\"}";
const DIGITS: usize = GENESIS.len();

/// Something that was done, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry {
    /// Its number, from 1 on without a gap.
    pub seq: u64,
    /// When it was done.
    pub time: Time,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It has no hashes where they belong, or is no UTF-8.
    #[error("it is no entry of an audit trail")]
    Shape,
    /// It names another entry as the one before.
    #[error(
        "it does not follow the entry before it: an entry was removed, inserted or put elsewhere"
    )]
    Chain,
    /// Its hash is not the one of its content.
    #[error("its content was changed: the hash is another")]
    Content,
    /// Its number is not the next.
    #[error("its number is {found} instead of {expected}")]
    Number {
        /// The number there.
        found: u64,
        /// The number that would follow.
        expected: u64,
    },
    /// It is the first of a segment and does not say rightly what the segment follows.
    #[error("it does not say rightly which segment it follows")]
    Header,
    /// The hashes are right and the content can't be read.
    #[error("it can't be read by this version: {0}")]
    Unknown(String),
}

fn hash(prev: &str, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev.as_bytes());
    hasher.update(body);
    hasher.finalize().to_hex().to_string()
}

impl Entry {
    /// The line that follows the hash `prev`, without line feed, and its own hash.
    pub(super) fn line(&self, prev: &str) -> Result<(String, String), serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        // The closing brace.
        line.pop();
        let own = hash(prev, line.as_bytes());
        for part in [PREV, prev, HASH, &own, END] {
            line.push_str(part);
        }
        Ok((line, own))
    }

    /// Reads a line that should follow the hash `prev` as number `seq`; gives its own hash too.
    pub(super) fn parse(line: &[u8], prev: &str, seq: u64) -> Result<(Self, String), Flaw> {
        let (entry, named, own) = Self::parse_any(line)?;
        if named != prev {
            return Err(Flaw::Chain);
        }
        if entry.seq != seq {
            return Err(Flaw::Number {
                found: entry.seq,
                expected: seq,
            });
        }
        Ok((entry, own))
    }

    /// Reads a line by itself; gives the hash that it says to follow, and its own.
    pub(super) fn parse_any(line: &[u8]) -> Result<(Self, String, String), Flaw> {
        let line = std::str::from_utf8(line).map_err(|_| Flaw::Shape)?;
        let rest = line.strip_suffix(END).ok_or(Flaw::Shape)?;
        let (rest, own) = split(rest).ok_or(Flaw::Shape)?;
        let rest = rest.strip_suffix(HASH).ok_or(Flaw::Shape)?;
        let (rest, named) = split(rest).ok_or(Flaw::Shape)?;
        let body = rest.strip_suffix(PREV).ok_or(Flaw::Shape)?;
        if hash(named, body.as_bytes()) != own {
            return Err(Flaw::Content);
        }
        let entry: Self = serde_json::from_str(&format!("{body}}}"))
            .map_err(|error| Flaw::Unknown(error.to_string()))?;
        Ok((entry, named.to_owned(), own.to_owned()))
    }
}

/// Splits the hash off the end.
fn split(text: &str) -> Option<(&str, &str)> {
    text.len()
        .checked_sub(DIGITS)
        .and_then(|at| text.split_at_checked(at))
}
