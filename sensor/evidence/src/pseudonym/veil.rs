//! Pseudonyms in whatever leaves the site as JSON: events, alerts, rules, the trail, hosts, reports.

use std::net::IpAddr;

use sensor_facts::address::community_id;
use serde_json::{Map, Value};

use super::{
    Named, Names, Pseudonyms,
    fields::{self, Class},
};

/// Flow ids are below it, as before.
const FLOW_IDS: u64 = 1 << 53;
/// Users' numbers are below it.
const USERS: u64 = 1 << 32;

/// Replaces what names somebody or something of the site. What each field is, `fields.rs` says.
#[derive(Clone)]
pub struct Veil {
    pseudonyms: Pseudonyms,
    names: Names,
}

/// Where a value stands.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// The field that it stands in.
    parent: &'a str,
    /// Its field.
    name: &'a str,
    /// A person did what is told.
    by_person: bool,
}

/// What words are searched for.
enum Search<'a> {
    Addresses,
    /// For names too: the known ones, and these.
    All(&'a Names),
}

impl Veil {
    /// With the names that words are searched for; those in a value itself come to them.
    #[must_use]
    pub const fn new(pseudonyms: Pseudonyms, names: Names) -> Self {
        Self { pseudonyms, names }
    }

    /// Replaces all that is in a value.
    pub fn value(&self, value: &mut Value) {
        let mut own = Names::default();
        learn(value, Place::default(), &mut own);
        self.walk(value, Place::default(), &own);
    }

    /// The pseudonyms alone.
    #[must_use]
    pub const fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }

    fn walk(&self, value: &mut Value, place: Place<'_>, own: &Names) {
        match value {
            Value::Object(fields) => self.object(fields, place, own),
            Value::Array(items) => {
                for item in items {
                    self.walk(item, place, own);
                }
            }
            Value::String(text) => *text = self.string(text, place, own),
            Value::Number(number) => {
                if let Some(whole) = number.as_u64()
                    && let Some(end) = end(place)
                {
                    *number = self.pseudonyms.number(whole, end).into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&self, fields: &mut Map<String, Value>, place: Place<'_>, own: &Names) {
        let by_person = is_by_person(fields);
        for (name, mut value) in std::mem::take(fields) {
            let place = Place {
                parent: place.name,
                name: &name,
                by_person,
            };
            self.walk(&mut value, place, own);
            let key = self.key(&name, own);
            fields.insert(key, value);
        }
        if let Some(id) = fields.remove("community_id") {
            let made = made_anew(fields).map(Value::String);
            // One that is no string is none of ours.
            if let Some(made) = made.filter(|_| id.is_string()) {
                fields.insert("community_id".to_owned(), made);
            }
        }
    }

    /// A key that is no field's is an address or a name itself, as in counts by device.
    fn key(&self, key: &str, own: &Names) -> String {
        // A host may call itself like a field; what is called so must not go wrong by it.
        let field = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if key.bytes().all(field) {
            return key.to_owned();
        }
        self.pseudonyms
            .whole(key)
            .or_else(|| self.known(key, own))
            .unwrap_or_else(|| key.to_owned())
    }

    fn string(&self, text: &str, place: Place<'_>, own: &Names) -> String {
        if let Some(address) = self.pseudonyms.whole(text) {
            return address;
        }
        match fields::class(place.parent, place.name) {
            Class::Kept | Class::FlowId | Class::CommunityId => self.text(text, &Search::Addresses),
            Class::Word if !text.contains(' ') => self.text(text, &Search::Addresses),
            Class::Name(Named::Person) => self.actor(text),
            Class::Name(kind) if !text.is_empty() => self.pseudonyms.named(kind, text),
            Class::Reason if place.by_person && !text.is_empty() => {
                self.pseudonyms.named(Named::Text, text)
            }
            Class::Address | Class::Word | Class::Text | Class::Reason | Class::Name(_) => {
                self.text(text, &Search::All(own))
            }
        }
    }

    /// Who did something, as [`Actor`](sensor_facts::rule::Actor) is shown.
    fn actor(&self, text: &str) -> String {
        if let Some(group) = text.strip_prefix("policy ") {
            return format!("policy {}", self.pseudonyms.named(Named::Text, group));
        }
        if is_machine(text) || text.is_empty() {
            return text.to_owned();
        }
        self.pseudonyms.named(Named::Person, text)
    }

    fn known(&self, name: &str, own: &Names) -> Option<String> {
        let (kind, name) = own.whole(name).or_else(|| self.names.whole(name))?;
        Some(self.pseudonyms.named(kind, name))
    }

    /// Words: addresses, known names, and whatever stands in quotation marks, in which this program puts names.
    fn text(&self, text: &str, search: &Search<'_>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut before = None;
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            let rest = &text[at..];
            let found = self.pseudonyms.start(before, rest);
            let found = found.or_else(|| match search {
                Search::Addresses => None,
                Search::All(own) => self
                    .name_start(before, rest, own)
                    .or_else(|| self.quoted(rest, own)),
            });
            if let Some((length, pseudonym)) = found {
                out.push_str(&pseudonym);
                at += length;
                before = text[..at].chars().next_back();
            } else {
                out.push(next);
                at += next.len_utf8();
                before = Some(next);
            }
        }
        out
    }

    fn name_start(&self, before: Option<char>, text: &str, own: &Names) -> Option<(usize, String)> {
        if before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let found = [own.start(text), self.names.start(text)];
        let longest = found.into_iter().flatten().max_by_key(|found| found.0);
        let (length, kind, name) = longest?;
        Some((length, self.pseudonyms.named(kind, name)))
    }

    /// What stands in quotation marks, unless it is a path.
    fn quoted(&self, text: &str, own: &Names) -> Option<(usize, String)> {
        let inner = text.strip_prefix('"')?;
        let mut escaped = false;
        let end = inner.find(|next| {
            let ends = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            ends
        })?;
        let inner = &inner[..end];
        if inner.is_empty() || inner.starts_with('/') {
            return None;
        }
        let pseudonym = self
            .pseudonyms
            .whole(inner)
            .or_else(|| self.known(inner, own))
            .unwrap_or_else(|| self.pseudonyms.named(Named::Text, inner));
        Some((end + 2, format!("\"{pseudonym}\"")))
    }
}

/// Below what a number's pseudonym is, where it needs one.
fn end(place: Place<'_>) -> Option<u64> {
    match (place.parent, place.name) {
        ("actor" | "by", "uid") => Some(USERS),
        (_, name) => matches!(fields::known("", name), Some(Class::FlowId)).then_some(FLOW_IDS),
    }
}

/// It was no person, as [`Actor`](sensor_facts::rule::Actor) is shown.
fn is_machine(who: &str) -> bool {
    who == "wardtap" || who == "signal" || who.starts_with("policy ")
}

/// What is told was done by a person.
fn is_by_person(fields: &Map<String, Value>) -> bool {
    let person = |who: &Value| match who {
        Value::String(who) => !is_machine(who),
        who => who.get("kind").and_then(Value::as_str) == Some("person"),
    };
    ["by", "actor"]
        .into_iter()
        .any(|name| fields.get(name).is_some_and(person))
}

/// The Community ID of the addresses that are there now; none where the ports or ICMP types are not all told.
fn made_anew(fields: &Map<String, Value>) -> Option<String> {
    let address = |name| -> Option<IpAddr> { fields.get(name)?.as_str()?.parse().ok() };
    let port = |name| -> Option<u16> { fields.get(name)?.as_u64()?.try_into().ok() };
    let protocol = match fields.get("proto")?.as_str()? {
        "TCP" => 6,
        "UDP" => 17,
        "SCTP" => 132,
        "GRE" => 47,
        other => other.parse().ok()?,
    };
    let ports = port("src_port").zip(port("dest_port"));
    community_id(address("src_ip")?, address("dest_ip")?, ports, protocol)
}

/// Collects the names that a value's fields have.
fn learn(value: &Value, place: Place<'_>, names: &mut Names) {
    match value {
        Value::Object(fields) => {
            let by_person = is_by_person(fields);
            for (name, value) in fields {
                let place = Place {
                    parent: place.name,
                    name,
                    by_person,
                };
                learn(value, place, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| learn(item, place, names)),
        Value::String(text) => match fields::class(place.parent, place.name) {
            Class::Name(Named::Person) if is_machine(text) => {}
            Class::Name(kind) => names.add(kind, text),
            Class::Reason if place.by_person => names.add(Named::Text, text),
            _ => {}
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Names {
    /// Adds the names that a value's fields have, and what people say in it.
    pub fn learn(&mut self, value: &Value) {
        learn(value, Place::default(), self);
    }
}
