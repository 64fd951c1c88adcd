//! Codes in the words of the standard, and names of well-known UIDs.

use std::{collections::HashMap, sync::LazyLock};

use sensor_facts::event::NamedUid;

use crate::protocol::text::padded_text;

/// UID and name of SOP classes, transfer syntaxes and the application context (PS3.6 annex A).
static TABLE: &str = include_str!("uids.tsv");

static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect()
});

/// A UID, held small where it is a well-known one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Uid {
    /// A UID of PS3.6 annex A, and its name there.
    Known(&'static str, &'static str),
    /// A UID that is not in PS3.6, such as a private one.
    Other(Box<str>),
}

impl Uid {
    /// Takes a UID as it was sent; it has at most 64 characters (PS3.5 section 9.1).
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::new(padded_text(bytes, 64))
    }

    /// Takes a UID's text. DCMTK leaves out spaces, which no UID has (PS3.5 section 9.1), and reads the rest.
    pub(crate) fn new(mut uid: String) -> Self {
        uid.retain(|c| c != ' ');
        match NAMES.get_key_value(uid.as_str()) {
            Some((uid, name)) => Self::Known(uid, name),
            None => Self::Other(uid.into_boxed_str()),
        }
    }

    /// Bytes of memory beside the value itself.
    pub(crate) fn heap(&self) -> usize {
        match self {
            Self::Known(..) => 0,
            Self::Other(uid) => uid.len(),
        }
    }

    /// As events have it.
    pub(crate) fn named(&self) -> NamedUid {
        match self {
            Self::Known(uid, name) => NamedUid {
                uid: (*uid).to_owned(),
                name: Some((*name).to_owned()),
            },
            Self::Other(uid) => NamedUid {
                uid: uid.to_string(),
                name: None,
            },
        }
    }
}

/// Set in the Command Field of a response.
pub(crate) const RESPONSE: u16 = 0x8000;

/// Name of a command, by the value of its request (PS3.7 annex E.1).
#[must_use]
pub(super) fn command(field: u16) -> Option<&'static str> {
    Some(match field & !RESPONSE {
        0x0001 => "C-STORE",
        0x0010 => "C-GET",
        0x0020 => "C-FIND",
        0x0021 => "C-MOVE",
        0x0030 => "C-ECHO",
        0x0fff => "C-CANCEL",
        0x0100 => "N-EVENT-REPORT",
        0x0110 => "N-GET",
        0x0120 => "N-SET",
        0x0130 => "N-ACTION",
        0x0140 => "N-CREATE",
        0x0150 => "N-DELETE",
        _ => return None,
    })
}

/// Result of a presentation context (PS3.8 table 9-18).
#[must_use]
pub(super) const fn context_result(code: u8) -> &'static str {
    match code {
        0 => "acceptance",
        1 => "user-rejection",
        2 => "no-reason (provider rejection)",
        3 => "abstract-syntax-not-supported (provider rejection)",
        4 => "transfer-syntaxes-not-supported (provider rejection)",
        _ => "unknown",
    }
}

/// Result of A-ASSOCIATE-RJ (PS3.8 table 9-21).
#[must_use]
pub(super) const fn reject_result(result: u8) -> &'static str {
    match result {
        1 => "rejected-permanent",
        2 => "rejected-transient",
        _ => "unknown",
    }
}

/// Source of A-ASSOCIATE-RJ (PS3.8 table 9-21).
#[must_use]
pub(super) const fn reject_source(source: u8) -> &'static str {
    match source {
        1 => "UL service-user",
        2 => "UL service-provider (ACSE related function)",
        3 => "UL service-provider (Presentation related function)",
        _ => "unknown",
    }
}

/// Reason of A-ASSOCIATE-RJ (PS3.8 table 9-21).
#[must_use]
pub(super) const fn reject_reason(source: u8, reason: u8) -> &'static str {
    match (source, reason) {
        (1 | 2, 1) => "no-reason-given",
        (1, 2) => "application-context-name-not-supported",
        (1, 3) => "calling-AE-title-not-recognized",
        (1, 7) => "called-AE-title-not-recognized",
        (2, 2) => "protocol-version-not-supported",
        (3, 1) => "temporary-congestion",
        (3, 2) => "local-limit-exceeded",
        (1, 4..=6 | 8..=10) | (3, 0 | 3..=7) => "reserved",
        _ => "unknown",
    }
}

/// Source of A-ABORT (PS3.8 table 9-26).
#[must_use]
pub(super) const fn abort_source(source: u8) -> &'static str {
    match source {
        0 => "UL service-user",
        1 => "reserved",
        2 => "UL service-provider",
        _ => "unknown",
    }
}

/// Reason of A-ABORT; significant where the provider aborted (PS3.8 table 9-26).
#[must_use]
pub(super) const fn abort_reason(source: u8, reason: u8) -> &'static str {
    match (source, reason) {
        (2, 0) => "reason-not-specified",
        (2, 1) => "unrecognized-PDU",
        (2, 2) => "unexpected-PDU",
        (2, 3) => "reserved",
        (2, 4) => "unrecognized-PDU-parameter",
        (2, 5) => "unexpected-PDU-parameter",
        (2, 6) => "invalid-PDU-parameter-value",
        (2, _) => "unknown",
        _ => "not significant",
    }
}

/// Type of user identity (PS3.7 table D.3-14).
#[must_use]
pub(super) const fn user_identity(code: u8) -> &'static str {
    match code {
        1 => "username",
        2 => "username and passcode",
        3 => "Kerberos service ticket",
        4 => "SAML assertion",
        5 => "JSON Web Token",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_uids_have_their_names() {
        for (uid, name) in [
            ("1.2.840.10008.1.1", "Verification SOP Class"),
            ("1.2.840.10008.1.2", "Implicit VR Little Endian"),
            ("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage"),
            ("1.2.840.10008.3.1.1.1", "DICOM Application Context"),
        ] {
            let named = Uid::new(uid.to_owned()).named();
            assert!(
                named.name.as_deref().is_some_and(|n| n.starts_with(name)),
                "{named:?}"
            );
        }
        assert_eq!(Uid::new("1.2.3".to_owned()).named().name, None);
        assert_eq!(
            NAMES.len(),
            TABLE.lines().count(),
            "a line without a tab, or a UID twice"
        );
    }
}
