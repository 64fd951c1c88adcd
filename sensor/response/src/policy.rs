//! From a finding to an action, or to the reason why there is none.
//!
//! The policy only decides; it is given all it needs to know and changes nothing but its own memory of
//! [evidence](crate::evidence). What it decides the guard checks again, and the kernel's never-block list once more.

use std::{collections::VecDeque, net::IpAddr};

use ipnet::IpNet;
use sensor_facts::{
    finding::Finding,
    rule::{Actor, State},
    target::{Service, Target, Transport},
    time::Time,
};

use super::{Book, Refusal, guard};
use crate::{
    config::{Containment, Mode},
    evidence::{Evidence, NoEvidence},
};

const MINUTE: i64 = 60_000_000_000;
/// Name of the group of devices that are in none.
const DEFAULT_GROUP: &str = "default";

/// What the policy has to know beside the finding.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The time of the decision.
    pub now: Time,
    /// Rules and never-block list.
    pub book: &'a Book,
    /// Loss of packets or events in the last minute, per cent.
    pub loss_percent: f64,
    /// Devices that are known in the suspect's subnet ([`neighbourhood`]).
    pub known_devices: usize,
    /// An interface is in the path, so that a rule drops something.
    pub inline: bool,
    /// Resets can be sent.
    pub resets: bool,
}

/// What is to be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainmentVerdict {
    /// A rule is to be put in force.
    Act,
    /// A rule is to be proposed to a person.
    Propose,
    /// Only observed: this is what would be done.
    WouldAct,
    /// More evidence is waited for.
    Wait,
    /// Nothing may or need be done.
    NoAction,
}

impl ContainmentVerdict {
    /// As in the trail.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Propose => "propose",
            Self::WouldAct => "would_act",
            Self::Wait => "wait",
            Self::NoAction => "no_action",
        }
    }
}

/// What the policy made of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub verdict: ContainmentVerdict,
    /// About what, and for how long, nanoseconds; none where nothing was chosen.
    pub target: Option<(Target, u64)>,
    /// Group of devices whose mode decided.
    pub group: String,
    /// The group's mode.
    pub mode: Mode,
    /// Why, in words.
    pub reason: String,
}

/// Decides about each finding by the device's group, the limits and the evidence.
#[derive(Debug)]
pub struct Policy {
    options: Containment,
    evidence: Evidence,
    made: VecDeque<Time>,
}

/// The subnet in which a device's neighbours are counted: /24 or /64.
#[must_use]
pub fn neighbourhood(address: IpAddr) -> IpNet {
    let bits = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, bits).map_or_else(|_| address.into(), |net| net.trunc())
}

impl Policy {
    /// A policy with the limits and groups of the configuration.
    #[must_use]
    pub fn new(options: Containment) -> Self {
        Self {
            options,
            evidence: Evidence::default(),
            made: VecDeque::new(),
        }
    }

    /// Puts other limits in force; what is remembered stays.
    pub fn set(&mut self, options: Containment) {
        self.options = options;
    }

    /// Group and mode of a device.
    #[must_use]
    pub fn group_of(&self, address: IpAddr) -> (&str, Mode) {
        let group = self.options.group.iter().find(|group| {
            group
                .members
                .iter()
                .any(|member| member.0.contains(&address))
        });
        group.map_or((DEFAULT_GROUP, self.options.mode), |group| {
            (group.name.as_str(), group.mode)
        })
    }

    /// Decides about a finding, and remembers it if it counts as evidence.
    pub fn decide(&mut self, finding: &Finding, situation: &Situation<'_>) -> Decision {
        let (now, within) = (situation.now, self.options.second_within);
        let weakness = NoEvidence::of(finding);
        if weakness.is_none() {
            self.evidence.add(finding, now, within);
        }
        let (group, mode) = self.group_of(finding.subject);
        let group = group.to_owned();
        let decided = |verdict, target, reason: String| Decision {
            verdict,
            target,
            group: group.clone(),
            mode,
            reason,
        };
        if let Some(weakness) = weakness
            && (weakness == NoEvidence::Victim
                || (weakness.is_of_another() && mode != Mode::Propose))
        {
            let reason = weakness.explain(finding);
            return decided(ContainmentVerdict::NoAction, None, reason);
        }
        let target = match self.target(finding, situation) {
            Ok(target) => target,
            Err(reason) => return decided(ContainmentVerdict::NoAction, None, reason),
        };
        let past = situation.book.past(&target);
        let step = usize::try_from(past.offences).unwrap_or(usize::MAX);
        let ttl = self.options.ttl.get(step).or(self.options.ttl.last());
        let ttl = ttl.map_or(0, |span| span.as_nanos());
        let target = Some((target, ttl));
        if let Some(reason) = self.hindrance(target.map(|(target, _)| target).as_ref(), situation) {
            return decided(ContainmentVerdict::NoAction, target, reason);
        }
        let detectors = self.evidence.against(finding.subject, now, within);
        let needed = if self.options.second_finding { 2 } else { 1 };
        if mode == Mode::Propose {
            let reason = weakness.map_or_else(
                || format!("{}: a person has to approve", named(&detectors)),
                |weakness| format!("{}: a person has to decide", weakness.explain(finding)),
            );
            return decided(ContainmentVerdict::Propose, target, reason);
        }
        // What does not count itself changes nothing about what is known already.
        if weakness.is_some() || detectors.len() < needed {
            let why = weakness.map_or_else(
                || format!("{} alone", finding.detector),
                |weakness| weakness.explain(finding),
            );
            let reason = format!(
                "{why}: a second finding of another kind is waited for, {} at most",
                self.options.second_within
            );
            return decided(ContainmentVerdict::Wait, target, reason);
        }
        let evidence = named(&detectors);
        if mode == Mode::Observe {
            let reason = format!("{evidence}: the mode is observe");
            return decided(ContainmentVerdict::WouldAct, target, reason);
        }
        self.made.push_back(situation.now);
        decided(ContainmentVerdict::Act, target, evidence)
    }

    /// The narrowest target that the findings call for and that is not blocked yet.
    fn target(&self, finding: &Finding, situation: &Situation<'_>) -> Result<Target, String> {
        let subject = finding.subject;
        if !situation.inline {
            let Some((a, b)) = finding.connection.filter(|_| situation.resets) else {
                return Err(
                    "no interface is in the path: a rule would drop nothing, and there is no connection that resets could end".to_owned(),
                );
            };
            let transport = Transport::Tcp;
            return Ok(Target::Flow { transport, a, b }.canonical());
        }
        let within = self.options.second_within;
        let many = finding.victim_count > 1
            || self
                .evidence
                .has_many_victims(subject, situation.now, within);
        let device = Target::Device { address: subject };
        let narrow = match (finding.offered, finding.victims.first()) {
            // Whoever asks for it, and nothing else that the device does.
            (Some(service), _) => Target::Service {
                address: subject,
                service,
            },
            (None, Some(victim)) if !many => pair(subject, *victim, finding.service),
            _ => device,
        };
        let live = |target: &Target| {
            situation
                .book
                .rules()
                .find(|rule| rule.target == *target && rule.state == State::Enabled)
        };
        for target in [narrow, device] {
            match live(&target) {
                None => return Ok(target),
                // Something was found in spite of the narrower rule.
                Some(_) if target != device => {}
                Some(rule) => {
                    return Err(format!("rule {} blocks the device already", rule.id));
                }
            }
        }
        Ok(device)
    }

    /// Why nothing may be done, if so.
    fn hindrance(&mut self, target: Option<&Target>, situation: &Situation<'_>) -> Option<String> {
        let target = target?;
        let book = situation.book;
        if let Err(refusal @ (Refusal::Protected { .. } | Refusal::ProtectedInside { .. })) =
            guard::check_protected(target, book)
        {
            return Some(refusal.to_string());
        }
        if let Err(refusal) = guard::check_target(target) {
            return Some(refusal.to_string());
        }
        let limit = f64::from(self.options.max_loss_percent);
        if situation.loss_percent > limit {
            return Some(format!(
                "{:.1} % of what was to be seen was lost in the last minute, more than {limit} %: the evidence may be wrong",
                situation.loss_percent
            ));
        }
        let cool = i64::try_from(self.options.cool_down.as_nanos()).unwrap_or(i64::MAX);
        if let Some(released) = book.past(target).released
            && situation.now.0.saturating_sub(released.0) < cool
        {
            return Some(format!(
                "a person lifted its last rule at {released}: it is left alone for {}",
                self.options.cool_down
            ));
        }
        if let Some(rule) = book.rules().find(|rule| rule.target == *target) {
            return Some(format!(
                "rule {} is about it already, {}",
                rule.id,
                rule.state.label()
            ));
        }
        let own = || {
            book.rules()
                .filter(|rule| matches!(rule.by, Actor::Policy { .. }))
        };
        let max = usize::try_from(self.options.max_rules).unwrap_or(usize::MAX);
        if own().count() >= max {
            return Some(format!("the policy has {max} rules, which is its limit"));
        }
        while self
            .made
            .front()
            .is_some_and(|time| situation.now.0.saturating_sub(time.0) >= MINUTE)
        {
            self.made.pop_front();
        }
        let a_minute = usize::try_from(self.options.max_rules_per_minute).unwrap_or(usize::MAX);
        if self.made.len() >= a_minute {
            return Some(format!(
                "{a_minute} rules were made in the last minute, which is the limit"
            ));
        }
        if let Target::Device { address } = target {
            let net = neighbourhood(*address);
            let blocked = own()
                .filter(|rule| matches!(rule.target, Target::Device { address } if net.contains(&address)))
                .count();
            let share = usize::from(self.options.max_subnet_percent);
            let allowed = (situation.known_devices * share / 100).max(1);
            if blocked >= allowed {
                return Some(format!(
                    "{blocked} of {} known devices of {net} are blocked already, the limit is {share} %",
                    situation.known_devices
                ));
            }
        }
        None
    }
}

/// Detectors in words, the latest first.
fn named(detectors: &[&str]) -> String {
    match detectors {
        [] => String::new(),
        [one] => format!("{one} alone"),
        [others @ .., last] => format!("{last} and {}", others.join(", ")),
    }
}

fn pair(a: IpAddr, b: IpAddr, service: Option<Service>) -> Target {
    Target::Pair { a, b, service }.canonical()
}

#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod tests;
