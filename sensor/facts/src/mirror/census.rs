//! Who talks at each interface, counted as the sweeper comes by the flows.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    net::IpAddr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sensor_common::{flow::Flow, key::FlowKey, packet::protocol};
use serde::{Deserialize, Serialize};

use crate::{
    address::addresses,
    observation::{is_host, is_public},
    setting::Network,
};

/// Conversations without a packet for longer than this do not count, nanoseconds.
const RECENT: u64 = 60_000_000_000;
/// A conversation is active that had a packet within this time, nanoseconds.
const ACTIVE: u64 = 10_000_000_000;
/// Ranges of an interface that a pass counts at most.
const RANGES: usize = 512;
/// Addresses of a range that a pass counts at most.
const TALKERS: usize = 8;

/// Addresses that stand or fall together at a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// A VLAN, by its id.
    Vlan(u16),
    /// A /24 of IPv4 or a /64 of IPv6 of the site.
    Subnet(IpNet),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan(id) => write!(f, "VLAN {id}"),
            Self::Subnet(net) => net.fmt(f),
        }
    }
}

impl Range {
    fn of(address: IpAddr) -> Self {
        Self::Subnet(match address {
            IpAddr::V4(address) => Ipv4Net::new_assert(address, 24).trunc().into(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().into(),
        })
    }
}

/// What a pass over the flow tables found at an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// TCP conversations of the last minute that carried data.
    pub conversations: u64,
    /// Of these, only one side was ever seen.
    pub one_sided: u64,
    /// Conversations, of any protocol, that had a packet in the last seconds.
    pub active: u64,
    /// Addresses that sent in the last minute, with the time of their last packet, nanoseconds of the engine's clock; a few
    /// of each range. Only conversations of both sides count.
    pub ranges: HashMap<Range, HashMap<IpAddr, u64>>,
    /// There was no room for all ranges.
    pub crowded: bool,
}

impl Survey {
    fn talks(&mut self, range: Range, address: IpAddr, last: u64) {
        let full = self.ranges.len() >= RANGES;
        let talkers = match self.ranges.entry(range) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => {
                self.crowded = true;
                return;
            }
            Entry::Vacant(entry) => entry.insert(HashMap::new()),
        };
        if talkers.len() >= TALKERS && !talkers.contains_key(&address) {
            let oldest = talkers.iter().min_by_key(|(_, last)| **last);
            match oldest.map(|(address, last)| (*address, *last)) {
                Some((oldest, before)) if before < last => talkers.remove(&oldest),
                _ => return,
            };
        }
        let known = talkers.entry(address).or_insert(last);
        *known = last.max(*known);
    }
}

/// Looks at flows as the sweeper comes by them.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Networks that belong to the site, beside private ones.
    inside: Vec<Network>,
    seen: HashMap<u32, Survey>,
}

impl Census {
    /// Sets the networks that belong to the site, beside private ones.
    pub fn set(&mut self, inside: &[Network]) {
        self.inside = inside.to_vec();
    }

    /// Takes a look at a flow; `now` is the engine's clock. What one side alone made up in a few packets does not count.
    pub fn look(&mut self, key: &FlowKey, flow: &Flow, now: u64) {
        let recent = |last: u64| now.saturating_sub(last) <= RECENT;
        if !recent(flow.last()) || !flow.is_proven() {
            return;
        }
        let survey = self.seen.entry(flow.interface).or_default();
        survey.active += u64::from(now.saturating_sub(flow.last()) <= ACTIVE);
        if key.protocol == protocol::TCP && flow.directions.iter().any(|half| half.payload > 0) {
            survey.conversations += 1;
            survey.one_sided += u64::from(flow.directions.iter().any(|half| half.packets == 0));
        }
        if flow.directions.iter().any(|half| half.packets == 0) {
            return;
        }
        let vlan = flow.vlan_ids().next().filter(|id| *id != 0);
        let (a, b) = addresses(key);
        for (address, half) in [a, b].into_iter().zip(&flow.directions) {
            let of_site = self.inside.iter().any(|net| net.0.contains(&address));
            let inside = is_host(address) && (of_site || !is_public(address));
            if !recent(half.last) || !inside {
                continue;
            }
            survey.talks(Range::of(address), address, half.last);
            if let Some(id) = vlan {
                survey.talks(Range::Vlan(id), address, half.last);
            }
        }
    }

    /// What was seen since the last time, by the interface's index.
    pub fn take(&mut self) -> HashMap<u32, Survey> {
        std::mem::take(&mut self.seen)
    }
}

#[cfg(test)]
mod tests {
    use sensor_common::key::Key4;

    use super::*;

    const NOW: u64 = 1_000_000_000_000;

    fn flow(packets: [u64; 2], vlan: Option<u16>) -> Flow {
        let mut flow = Flow {
            interface: 2,
            vlan_depth: u8::from(vlan.is_some()),
            vlans: [vlan.unwrap_or(0), 0],
            ..Flow::EMPTY
        };
        for (half, packets) in flow.directions.iter_mut().zip(packets) {
            half.packets = packets;
            half.payload = packets * 10;
            half.last = if packets > 0 { NOW } else { 0 };
        }
        flow
    }

    fn key(a: [u8; 4], b: [u8; 4], protocol: u8) -> FlowKey {
        FlowKey::from(&Key4 {
            addr_a: a,
            addr_b: b,
            protocol,
            ..Key4::EMPTY
        })
    }

    fn seen(flows: &[(FlowKey, Flow)]) -> Survey {
        let mut census = Census::default();
        for (key, flow) in flows {
            census.look(key, flow, NOW);
        }
        census.take().remove(&2).unwrap_or_default()
    }

    #[test]
    fn both_ends_of_a_conversation_talk_in_their_networks() {
        let tcp = key([10, 1, 1, 1], [10, 1, 2, 2], protocol::TCP);
        let outside = key([10, 1, 1, 3], [203, 0, 113, 7], protocol::TCP);
        let survey = seen(&[(tcp, flow([3, 3], Some(10))), (outside, flow([3, 3], None))]);
        assert_eq!(
            (survey.conversations, survey.one_sided, survey.active),
            (2, 0, 2)
        );
        let mut ranges: Vec<_> = survey.ranges.iter().collect();
        ranges.sort_by_key(|(range, _)| **range);
        let ranges: Vec<_> = ranges
            .into_iter()
            .map(|(range, talkers)| (range.to_string(), talkers.len()))
            .collect();
        let range = |text: &str, talkers| (text.to_owned(), talkers);
        assert_eq!(
            ranges,
            [
                range("VLAN 10", 2),
                range("10.1.1.0/24", 2),
                range("10.1.2.0/24", 1)
            ]
        );
    }

    #[test]
    fn what_one_side_makes_up_counts_as_one_sided_at_most() {
        let tcp = key([10, 1, 1, 1], [10, 1, 2, 2], protocol::TCP);
        let survey = seen(&[(tcp, flow([7, 0], None))]);
        assert_eq!(survey, Survey::default(), "a few forged segments");
        let survey = seen(&[(tcp, flow([8, 0], None))]);
        assert_eq!((survey.conversations, survey.one_sided), (1, 1));
        assert!(survey.ranges.is_empty());
        let mut old = flow([8, 8], None);
        old.directions
            .iter_mut()
            .for_each(|half| half.last = NOW - RECENT - 1);
        assert_eq!(seen(&[(tcp, old)]), Survey::default());
    }

    #[test]
    fn ranges_and_talkers_have_bounds() {
        let many: Vec<_> = (0..2_000_u32)
            .map(|at| {
                let [_, _, high, low] = at.to_be_bytes();
                (
                    key([10, high, low, 1], [10, high, low, 2], protocol::TCP),
                    flow([3, 3], None),
                )
            })
            .collect();
        let survey = seen(&many);
        assert_eq!(survey.ranges.len(), RANGES);
        assert!(survey.crowded);
        let many: Vec<_> = (1..=100_u8)
            .map(|at| {
                (
                    key([10, 0, 0, at], [10, 0, 0, at + 100], protocol::TCP),
                    flow([3, 3], None),
                )
            })
            .collect();
        let survey = seen(&many);
        assert!(
            survey
                .ranges
                .values()
                .all(|talkers| talkers.len() == TALKERS)
        );
        assert!(!survey.crowded);
    }
}
