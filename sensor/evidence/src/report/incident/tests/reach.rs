//! Who can be reached respects time, held against every way there is.

use std::{collections::BTreeMap, net::IpAddr};

use proptest::prelude::*;
use sensor_facts::{contact::Contact, time::Time};

use super::super::spread::testing::reach;

const HOPS: usize = 3;

fn device(number: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, number])
}

fn contact((client, server, first, length, answered): (u8, u8, i64, i64, bool)) -> Contact {
    Contact {
        client: device(client),
        server: device(server),
        proto: "TCP".into(),
        port: Some(104),
        app: None,
        first: Time(first),
        last: Time(first + length),
        flows: 1,
        refused: u64::from(!answered),
        bytes_to_server: 1,
        bytes_to_client: 1,
    }
}

/// Every way of at most so many contacts: of each device the fewest contacts, and the earliest moment by so many.
fn every_way(
    contacts: &[Contact],
    at: IpAddr,
    since: Time,
    hop: usize,
    found: &mut BTreeMap<IpAddr, (usize, Time)>,
) {
    if hop > HOPS {
        return;
    }
    for one in contacts {
        let passes = one.client == at && one.flows > one.refused && one.last >= since;
        if !passes || one.server == device(0) || one.server == at {
            continue;
        }
        let way = (hop, since.max(one.first));
        let known = found.entry(one.server).or_insert(way);
        *known = (*known).min(way);
        every_way(contacts, one.server, way.1, hop + 1, found);
    }
}

proptest! {
    #[test]
    fn ways_follow_in_time(
        some in prop::collection::vec((0..6_u8, 0..6_u8, 0..20_i64, 0..5_i64, prop::bool::weighted(0.8)), 0..14),
        since in 0..10_i64,
    ) {
        let contacts: Vec<Contact> = some.into_iter().map(contact).collect();
        let mut expected = BTreeMap::new();
        every_way(&contacts, device(0), Time(since), 1, &mut expected);
        prop_assert_eq!(reach(&contacts, device(0), Time(since), HOPS), expected);
    }
}

#[test]
fn what_was_over_before_passes_nothing_on() {
    let contacts = [
        contact((0, 1, 10, 5, true)),
        // Over before the first one was reached, and not.
        contact((1, 2, 0, 9, true)),
        contact((1, 3, 0, 11, true)),
    ];
    let found = reach(&contacts, device(0), Time(0), HOPS);
    assert_eq!(found.get(&device(3)), Some(&(2, Time(10))));
    assert!(!found.contains_key(&device(2)));
}
