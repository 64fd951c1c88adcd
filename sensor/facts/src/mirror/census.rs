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
    /// of each range.
    pub ranges: HashMap<Range, HashMap<IpAddr, u64>>,
}

impl Survey {
    fn talks(&mut self, range: Range, address: IpAddr, last: u64) {
        let full = self.ranges.len() >= RANGES;
        let talkers = match self.ranges.entry(range) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return,
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
        let vlan = flow.vlan_ids().next().filter(|id| *id != 0);
        let (a, b) = addresses(key);
        for (address, half) in [a, b].into_iter().zip(&flow.directions) {
            let of_site = self.inside.iter().any(|net| net.0.contains(&address));
            let inside = is_host(address) && (of_site || !is_public(address));
            if half.packets == 0 || !recent(half.last) || !inside {
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
