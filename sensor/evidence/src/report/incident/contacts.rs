//! Contacts from two sources, each of which may lack what the other has.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, hash_map::Entry},
    net::IpAddr,
};

use sensor_facts::{
    contact::Contact,
    event::{Body, Event},
    time::Time,
};

use crate::store::is_refused;

/// What makes contacts one: whether they were over before a moment, who, whom, protocol, port, application.
type Key = (
    bool,
    IpAddr,
    IpAddr,
    Cow<'static, str>,
    Option<u16>,
    Option<Cow<'static, str>>,
);

fn key(one: &Contact, split: Time) -> Key {
    (
        one.last < split,
        one.client,
        one.server,
        one.proto.clone(),
        one.port,
        one.app.clone(),
    )
}

fn summed(contacts: impl IntoIterator<Item = Contact>, split: Time) -> BTreeMap<Key, Contact> {
    let mut sums: BTreeMap<Key, Contact> = BTreeMap::new();
    for one in contacts {
        sums.entry(key(&one, split))
            .and_modify(|sum| {
                sum.first = sum.first.min(one.first);
                sum.last = sum.last.max(one.last);
                sum.flows += one.flows;
                sum.refused += one.refused;
                sum.bytes_to_server += one.bytes_to_server;
                sum.bytes_to_client += one.bytes_to_client;
            })
            .or_insert(one);
    }
    sums
}

/// Contacts by flow events, of each flow by its last report. What was over before `split` stays apart.
pub fn contacts(events: &[Event], split: Time) -> Vec<Contact> {
    let mut last: HashMap<u64, &Event> = HashMap::new();
    for event in events {
        let Some(id) = event.flow_id else { continue };
        match last.entry(id) {
            Entry::Occupied(mut known) if known.get().timestamp <= event.timestamp => {
                known.insert(event);
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert(event);
            }
        }
    }
    let flows = last.into_values().filter_map(contact);
    summed(flows, split).into_values().collect()
}

fn contact(event: &Event) -> Option<Contact> {
    let Body::Flow { flow } = &event.body else {
        return None;
    };
    Some(Contact {
        client: event.src_ip?,
        server: event.dest_ip?,
        proto: event.proto.clone()?,
        port: event.dest_port,
        app: flow.app_proto.clone(),
        first: flow.start,
        last: flow.end,
        flows: 1,
        refused: u64::from(is_refused(event, flow)),
        bytes_to_server: flow.to_server.bytes,
        bytes_to_client: flow.to_client.bytes,
    })
}

/// One list of two: each is a part of the truth, so of what is in both the greater amounts count.
pub fn joined(
    first: impl IntoIterator<Item = Contact>,
    second: impl IntoIterator<Item = Contact>,
    split: Time,
) -> Vec<Contact> {
    let mut joined = summed(first, split);
    for (key, one) in summed(second, split) {
        joined
            .entry(key)
            .and_modify(|known| {
                known.first = known.first.min(one.first);
                known.last = known.last.max(one.last);
                if one.flows > known.flows {
                    (known.flows, known.refused) = (one.flows, one.refused);
                }
                known.bytes_to_server = known.bytes_to_server.max(one.bytes_to_server);
                known.bytes_to_client = known.bytes_to_client.max(one.bytes_to_client);
            })
            .or_insert(one);
    }
    joined.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(first: i64, last: i64, flows: u64, bytes: u64) -> Contact {
        Contact {
            client: [10, 0, 0, 1].into(),
            server: [10, 0, 0, 2].into(),
            proto: "TCP".into(),
            port: Some(104),
            app: None,
            first: Time(first),
            last: Time(last),
            flows,
            refused: 0,
            bytes_to_server: bytes,
            bytes_to_client: 0,
        }
    }

    #[test]
    fn what_two_sources_know_counts_once() {
        let store = [
            contact(0, 5, 2, 20),
            contact(5, 8, 1, 10),
            contact(12, 15, 1, 10),
        ];
        let memory = [contact(6, 9, 1, 10), contact(13, 19, 3, 5)];
        let known = [contact(0, 9, 3, 30), contact(12, 19, 3, 10)];
        let mut joined = joined(store, memory, Time(10));
        joined.sort_by_key(|one| one.first);
        assert_eq!(joined, known);
    }
}
