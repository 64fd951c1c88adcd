//! Lists of rules, of what is protected, and of the audit trail.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use sensor_evidence::audit::Entry;
use sensor_facts::{
    effect::Effectiveness,
    rule::{Scope, State},
    target::{Protected, Target},
    words::{bytes, count},
};

use super::{Column, Filter, Item, Subject, Value};
use crate::control::api::{ProtectedEntry, RuleView};

impl Item for RuleView {
    const WHAT: &'static str = "rules";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("id", 0, |it| Value::Number(it.rule.id)),
        Column::text("target", 0, |it| {
            let mut what = it.rule.target.to_string();
            if it.rule.scope == Scope::KeepClinical {
                what.push_str(" keep-clinical");
            }
            Value::Text(what)
        }),
        Column::text("state", 0, |it| {
            let sticky = if it.rule.sticky { ", sticky" } else { "" };
            Value::Text(format!("{}{sticky}", it.rule.state.label()))
        }),
        Column::new("made", 6, |it| Value::Time(it.rule.created)),
        Column::new("until", 1, |it| Value::Time(it.rule.expires)),
        Column::text("dropped", 4, |it| Value::Text(dropped(it))),
        Column::text("works", 3, |it| Value::Text(works(it))),
        Column::new("by", 5, |it| Value::Text(it.rule.by.to_string())),
        Column::text("reason", 2, |it| Value::Text(it.rule.reason.clone())),
    ];
    const FILTERS: &'static [Filter] = &[
        Filter::Device,
        Filter::Since,
        Filter::Until,
        Filter::Role,
        Filter::State,
        Filter::SiteOnly,
    ];
    const STATES: &'static [&'static str] = &[
        State::Proposed.label(),
        State::Enabled.label(),
        State::Disabled.label(),
        State::DryRun.label(),
    ];

    fn subject(&self) -> Subject {
        let mut subject = Subject {
            time: Some((self.rule.created, self.rule.expires)),
            states: vec![self.rule.state.label()],
            ..Subject::default()
        };
        match self.rule.target {
            Target::Flow { a, b, .. } => subject.addresses = vec![a.ip(), b.ip()],
            Target::Pair { a, b, .. } => subject.addresses = vec![a, b],
            Target::Service { address, .. } | Target::Device { address } => {
                subject.addresses = vec![address];
            }
            Target::Subnet { subnet } => subject.subnets = vec![subnet],
            Target::Mac { mac } => subject.names = vec![mac.to_string()],
        }
        subject
    }
}

/// What a rule dropped, or would have.
#[must_use]
pub fn dropped(view: &RuleView) -> String {
    let hits = &view.hits;
    if view.rule.state == State::DryRun {
        return format!(
            "would: {} packets, {}",
            count(hits.would_packets),
            bytes(hits.would_bytes)
        );
    }
    format!("{} packets, {}", count(hits.packets), bytes(hits.bytes))
}

/// Whether a rule works, and how that is known.
fn works(view: &RuleView) -> String {
    if view.rule.state != State::Enabled {
        return String::new();
    }
    let effect = &view.effect;
    let word = match effect.verdict {
        Effectiveness::Effective => "effective",
        Effectiveness::NotEffective => "not effective",
        Effectiveness::Unverified => "unverified",
    };
    if effect.detail.is_empty() {
        word.to_owned()
    } else {
        format!("{word}: {}", effect.detail)
    }
}

impl Item for ProtectedEntry {
    const WHAT: &'static str = "protected";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("protected", 0, |it| Value::Text(it.what.to_string())),
        Column::new("since", 1, |it| Value::Time(it.since)),
        Column::text("by", 2, |it| {
            Value::Text(if it.configured {
                "the configuration".to_owned()
            } else {
                it.by.to_string()
            })
        }),
        Column::text("reason", 0, |it| Value::Text(it.reason.clone())),
    ];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        let mut subject = Subject {
            time: Some((self.since, self.since)),
            ..Subject::default()
        };
        match self.what {
            Protected::Device { address } => subject.addresses = vec![address],
            Protected::Subnet { subnet } => subject.subnets = vec![subnet],
            Protected::Mac { mac } => subject.names = vec![mac.to_string()],
        }
        subject
    }
}

impl Item for Entry {
    // It is read from a file.
    const MOST: usize = 1_000_000;
    const WHAT: &'static str = "entries";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("entry", 0, |it| Value::Number(it.seq)),
        Column::new("time", 0, |it| Value::Time(it.time)),
        Column::new("who", 1, |it| Value::Text(it.actor.to_string())),
        Column::text("what", 0, |it| Value::Text(it.action.to_string())),
    ];
    const FILTERS: &'static [Filter] = &[Filter::Device, Filter::Since, Filter::Until];

    fn subject(&self) -> Subject {
        let (addresses, subnets) = named(&self.action.to_string());
        Subject {
            addresses,
            subnets,
            time: Some((self.time, self.time)),
            ..Subject::default()
        }
    }
}

/// The addresses and subnets that stand in a text.
fn named(text: &str) -> (Vec<IpAddr>, Vec<IpNet>) {
    let part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/' | '[' | ']');
    let mut addresses = Vec::new();
    let mut subnets = Vec::new();
    for word in text.split(|c| !part(c)) {
        let word = word.trim_end_matches(['.', ':']);
        let socket = || word.parse::<SocketAddr>().map(|socket| socket.ip());
        if let Ok(address) = word.parse().or_else(|_| socket()) {
            addresses.push(address);
        } else if let Ok(subnet) = word.parse() {
            subnets.push(subnet);
        }
    }
    (addresses, subnets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_what_an_entry_says() {
        let (addresses, subnets) = named(
            "rule 3 for 10.0.0.9: dropped tcp [2001:db8::1]:443, 10.1.4.66:50312; of 10.2.0.0/16. face 17:30:00",
        );
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.9", "2001:db8::1", "10.1.4.66"]);
        assert_eq!(subnets, ["10.2.0.0/16".parse().expect("a subnet")]);
    }
}
