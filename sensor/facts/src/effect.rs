//! Whether a rule works: which packets were dropped, and which packets of its target were still seen.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use sensor_common::{contain, flow::Flow, key::FlowKey, rule::Hits};
use serde::{Deserialize, Serialize};

use crate::{
    address::addresses,
    rule::{RuleId, Scope},
    target::{ClinicalPeer, Protected, Target},
    time::Time,
};

/// What of a target is seen so soon after its rule was made may have been on its way before.
const GRACE: u64 = 1_000_000_000;
/// A sighting says for so long that a rule does not work; nanoseconds.
const FRESH: i64 = 30_000_000_000;

/// Whether a rule works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effectiveness {
    /// Packets were dropped, and none was seen to pass.
    Effective,
    /// Packets of the target were seen after the rule was in force.
    NotEffective,
    /// The target was silent: nobody can tell.
    #[default]
    Unverified,
}

impl Effectiveness {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Effective, Self::NotEffective, Self::Unverified];

    /// As in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::NotEffective => "not_effective",
            Self::Unverified => "unverified",
        }
    }
}

/// Whether a rule works, and by what that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Effect {
    /// Whether the rule works.
    pub verdict: Effectiveness,
    /// Since when it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When that was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// By what it is known, in words.
    pub detail: String,
}

/// A rule whose target's traffic is looked out for.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Id of the rule.
    pub id: RuleId,
    /// What the rule blocks.
    pub target: Target,
    /// How much of the target's traffic the rule drops.
    pub scope: Scope,
    /// Since when it is in force, nanoseconds of the engine's clock.
    pub since: u64,
    /// Who gets through all the same.
    pub clinical: Vec<ClinicalPeer>,
}

/// All rules that are watched, and the never-block list, which gets through all of them.
#[derive(Clone, Debug, Default)]
pub struct WatchList {
    /// The rules.
    pub rules: Vec<Watched>,
    /// The never-block list.
    pub protected: Vec<Protected>,
}

/// What was seen of a rule's target after the rule was in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Time of the last packet, nanoseconds of the engine's clock.
    pub last: u64,
    /// Its flow.
    pub flow: FlowKey,
}

/// Looks at flows as the sweeper comes by them.
#[derive(Clone, Debug, Default)]
pub struct Lookout {
    list: Arc<WatchList>,
    oldest: u64,
    seen: HashMap<RuleId, Sighting>,
}

impl Lookout {
    /// Looks out for other rules from now on.
    pub fn set(&mut self, list: Arc<WatchList>) {
        self.oldest = list
            .rules
            .iter()
            .map(|rule| rule.since)
            .min()
            .unwrap_or(u64::MAX);
        self.list = list;
    }

    /// Takes a look at a flow.
    pub fn look(&mut self, key: &FlowKey, flow: &Flow) {
        let last = flow.last();
        if last <= self.oldest.saturating_add(GRACE) || self.list.rules.is_empty() {
            return;
        }
        for rule in &self.list.rules {
            let late = last > rule.since.saturating_add(GRACE);
            if late && matches(&rule.target, key, flow) && !is_spared(rule, &self.list, key, flow) {
                let seen = self
                    .seen
                    .entry(rule.id)
                    .or_insert(Sighting { last, flow: *key });
                if last >= seen.last {
                    *seen = Sighting { last, flow: *key };
                }
            }
        }
    }

    /// What was seen since the last time.
    pub fn take(&mut self) -> HashMap<RuleId, Sighting> {
        std::mem::take(&mut self.seen)
    }
}

struct Ends {
    a: IpAddr,
    b: IpAddr,
    port_a: u16,
    port_b: u16,
    protocol: u8,
}

impl Ends {
    fn of(key: &FlowKey) -> Self {
        let (a, b) = addresses(key);
        Self {
            a,
            b,
            port_a: u16::from_be_bytes(key.port_a),
            port_b: u16::from_be_bytes(key.port_b),
            protocol: key.protocol,
        }
    }
}

/// True if the flow's packets are what the target means.
fn matches(target: &Target, key: &FlowKey, flow: &Flow) -> bool {
    let ends = Ends::of(key);
    match *target {
        Target::Flow { transport, a, b } => {
            let there = [(ends.a, ends.port_a), (ends.b, ends.port_b)];
            let wanted = [(a.ip(), a.port()), (b.ip(), b.port())];
            ends.protocol == transport.number()
                && (there == wanted || there == [wanted[1], wanted[0]])
        }
        Target::Pair { a, b, service } => {
            let forth = (ends.a, ends.b) == (a, b);
            let back = (ends.a, ends.b) == (b, a);
            match service {
                None => forth || back,
                Some(service) => {
                    ends.protocol == service.transport.number()
                        && ((forth && ends.port_b == service.port)
                            || (back && ends.port_a == service.port))
                }
            }
        }
        Target::Service { address, service } => {
            ends.protocol == service.transport.number()
                && ((ends.a == address && ends.port_a == service.port)
                    || (ends.b == address && ends.port_b == service.port))
        }
        Target::Device { address } => ends.a == address || ends.b == address,
        Target::Mac { mac } => {
            let mac = <[u8; 6]>::from(mac);
            flow.mac_a == mac || flow.mac_b == mac
        }
        Target::Subnet { subnet } => subnet.contains(&ends.a) || subnet.contains(&ends.b),
    }
}

/// True for what the rule lets through by design.
fn is_spared(rule: &Watched, list: &WatchList, key: &FlowKey, flow: &Flow) -> bool {
    let ends = Ends::of(key);
    let is_protected = list.protected.iter().any(|what| match *what {
        Protected::Device { address } => ends.a == address || ends.b == address,
        Protected::Subnet { subnet } => subnet.contains(&ends.a) || subnet.contains(&ends.b),
        Protected::Mac { mac } => {
            let mac = <[u8; 6]>::from(mac);
            flow.mac_a == mac || flow.mac_b == mac
        }
    });
    if is_protected {
        return true;
    }
    rule.scope == Scope::KeepClinical
        && (is_vital(&ends)
            || rule.clinical.iter().any(|peer| {
                let at = |end: IpAddr, own: u16, others: u16| {
                    end == peer.peer
                        && ends.protocol == peer.service.transport.number()
                        && peer.service.port == if peer.serves { others } else { own }
                };
                at(ends.a, ends.port_a, ends.port_b) || at(ends.b, ends.port_b, ends.port_a)
            }))
}

fn is_vital(ends: &Ends) -> bool {
    contain::is_vital(ends.protocol, ends.port_a, ends.port_b)
        || contain::is_vital(ends.protocol, ends.port_b, ends.port_a)
}

/// The verdict on a rule that is in force, by its hits and by the last sighting of its target.
pub fn judge(
    hits: &Hits,
    sighting: Option<&Sighting>,
    before: &Effect,
    now: Time,
    wall: impl Fn(u64) -> Time,
) -> Effect {
    let since = |verdict| {
        if before.verdict == verdict {
            before.since
        } else {
            Some(now)
        }
    };
    if let Some(seen) = sighting {
        let (a, b) = addresses(&seen.flow);
        return Effect {
            verdict: Effectiveness::NotEffective,
            since: since(Effectiveness::NotEffective),
            at: Some(wall(seen.last)),
            detail: format!("packets between {a} and {b} were still seen"),
        };
    }
    let fresh = before.at.is_some_and(|at| now.0 - at.0 < FRESH);
    if before.verdict == Effectiveness::NotEffective && fresh {
        return before.clone();
    }
    if hits.packets > 0 {
        return Effect {
            verdict: Effectiveness::Effective,
            since: since(Effectiveness::Effective),
            at: Some(wall(hits.last)),
            detail: format!("{} packets dropped, none seen to pass", hits.packets),
        };
    }
    Effect {
        verdict: Effectiveness::Unverified,
        since: since(Effectiveness::Unverified),
        at: None,
        detail: "nothing of the target was seen since".to_owned(),
    }
}
