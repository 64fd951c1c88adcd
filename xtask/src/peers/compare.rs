//! Field by field: what a suite says of a connection beside what the sensor says.

use std::collections::BTreeMap;

use super::conversation::{Conversation, Key};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Connection,
    Roles,
    Payload,
    Packets,
    CommunityId,
    Sni,
    Version,
    Cipher,
    Alpn,
}

impl Field {
    pub(super) const ALL: [Self; 9] = [
        Self::Connection,
        Self::Roles,
        Self::Payload,
        Self::Packets,
        Self::CommunityId,
        Self::Sni,
        Self::Version,
        Self::Cipher,
        Self::Alpn,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::Roles => "roles",
            Self::Payload => "payload bytes",
            Self::Packets => "packets",
            Self::CommunityId => "Community ID",
            Self::Sni => "SNI",
            Self::Version => "TLS version",
            Self::Cipher => "cipher",
            Self::Alpn => "ALPN",
        }
    }
}

/// What of a connection is compared.
type Numbers = fn(&Conversation) -> Option<[u64; 2]>;
type Text = fn(&Conversation) -> Option<&String>;

/// A field of a connection in which both differ.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) field: Field,
    pub(super) of: String,
    pub(super) theirs: String,
    pub(super) ours: String,
}

/// How many values were compared, and in which both differ.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) values: BTreeMap<Field, u64>,
    pub(super) differences: Vec<Difference>,
}

/// Compares what is said of one capture. Connections with the same ends are compared together: suites and sensor
/// divide them by other time-outs.
pub(super) fn compare(theirs: &[Conversation], ours: &[Conversation]) -> Compared {
    let mut compared = Compared::default();
    let ours = by_key(ours);
    for (key, theirs) in by_key(theirs) {
        let of = format!("{} {:?} {:?}", key.0, key.1, key.2);
        let found = ours.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut add = |field: Field, equal: bool, their: String, our: &dyn Fn() -> String| {
            *compared.values.entry(field).or_default() += 1;
            if !equal {
                compared.differences.push(Difference {
                    field,
                    of: of.clone(),
                    theirs: their,
                    ours: our(),
                });
            }
        };
        add(
            Field::Connection,
            !found.is_empty(),
            "seen".to_owned(),
            &|| "missed".to_owned(),
        );
        if found.is_empty() {
            continue;
        }
        let first = |list: &[&Conversation]| {
            let mut roles = list.iter().filter(|one| one.has_roles());
            roles.find_map(|one| one.ends)
        };
        let roles = first(&theirs);
        if let (Some(roles), Some(shown)) = (roles, first(found)) {
            add(
                Field::Roles,
                roles == shown,
                format!("client {}", roles.0.0),
                &|| format!("client {}", shown.0.0),
            );
        }
        let numbers: [(Field, Numbers); 2] = [
            (Field::Payload, |one| one.payload),
            (Field::Packets, |one| one.packets),
        ];
        for (field, of) in numbers {
            if let Some(said) = sum(&theirs, of) {
                let shown = sum(found, of).unwrap_or_default();
                let copies =
                    field == Field::Packets && sum(found, |one| one.with_copies) == Some(said);
                add(field, said == shown || copies, format!("{said:?}"), &|| {
                    format!("{shown:?}")
                });
            }
        }
        let texts: [(Field, Text); 5] = [
            (Field::CommunityId, |one| one.community_id.as_ref()),
            (Field::Sni, |one| one.sni.as_ref()),
            (Field::Version, |one| one.version.as_ref()),
            (Field::Cipher, |one| one.cipher.as_ref()),
            (Field::Alpn, |one| one.alpn.as_ref()),
        ];
        let known = if found.iter().any(|one| one.incomplete) {
            " (incomplete)"
        } else {
            ""
        };
        for (field, of) in texts {
            let shown: Vec<&String> = found.iter().filter_map(|one| of(one)).collect();
            for said in theirs.iter().filter_map(|one| of(one)) {
                let equal = shown.iter().any(|one| one.eq_ignore_ascii_case(said));
                add(field, equal, said.clone(), &|| {
                    let last = shown.last().map_or("nothing", |one| one.as_str());
                    format!("{last}{known}")
                });
            }
        }
    }
    compared
}

fn by_key(list: &[Conversation]) -> BTreeMap<Key, Vec<&Conversation>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for one in list {
        if let Some(key) = one.key() {
            found.entry(key).or_default().push(one);
        }
    }
    found
}

/// The sum of what the lesser end and the greater end sent.
fn sum(list: &[&Conversation], of: Numbers) -> Option<[u64; 2]> {
    let mut found = None;
    for one in list {
        let (Some([client, server]), Some(ends)) = (of(one), one.ends) else {
            continue;
        };
        let [a, b] = found.get_or_insert([0, 0]);
        let turned = ends.0 > ends.1;
        *a += if turned { server } else { client };
        *b += if turned { client } else { server };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::conversation::end, *};

    fn flow(client: &str, server: &str, packets: [u64; 2]) -> Conversation {
        Conversation {
            packets: Some(packets),
            ..Conversation::new(
                "tcp",
                end(client, "4000").unwrap(),
                end(server, "104").unwrap(),
            )
        }
    }

    #[test]
    fn connections_are_compared_whichever_side_is_called_client() {
        let theirs = [flow("10.0.0.1", "10.0.0.2", [3, 2])];
        let mut turned = flow("10.0.0.1", "10.0.0.2", [2, 3]);
        turned.ends = turned.ends.map(|(client, server)| (server, client));
        let compared = compare(&theirs, &[turned]);
        assert_eq!(compared.differences.len(), 1);
        assert_eq!(compared.differences[0].field, Field::Roles);
        assert_eq!(compared.values[&Field::Packets], 1);
    }

    #[test]
    fn parts_of_a_connection_are_added_up() {
        let theirs = [flow("10.0.0.1", "10.0.0.2", [3, 2])];
        let one = flow("10.0.0.1", "10.0.0.2", [1, 2]);
        let other = flow("10.0.0.1", "10.0.0.2", [2, 0]);
        assert_eq!(compare(&theirs, &[one, other]).differences, []);
    }

    #[test]
    fn what_is_missing_or_different_is_told() {
        let theirs = flow("10.0.0.1", "10.0.0.2", [3, 2]);
        let missed = compare(std::slice::from_ref(&theirs), &[]);
        assert_eq!(missed.differences[0].field, Field::Connection);
        assert_eq!(missed.values.len(), 1);

        let tls = Conversation {
            sni: Some("A.example".to_owned()),
            version: Some("TLS 1.2".to_owned()),
            ..theirs.clone()
        };
        let shown = Conversation {
            sni: Some("a.example".to_owned()),
            incomplete: true,
            ..theirs
        };
        let compared = compare(&[tls], &[shown]);
        assert_eq!(compared.differences.len(), 1);
        assert_eq!(compared.differences[0].ours, "nothing (incomplete)");
    }
}
