//! Which findings count as evidence for blocking a device.

use std::{collections::VecDeque, net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_facts::{
    finding::{Basis, Finding, Origin},
    setting::Span,
    time::Time,
};

/// Suspects whose findings are remembered at once; the one whose last finding is longest ago makes room. Only evidence is
/// remembered, so a host that makes source addresses up takes no room.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");
/// A finding whose detector is less sure than this is a hint, not evidence.
const CONFIDENCE_MIN: f64 = 0.4;

/// Why a finding does not count as evidence for blocking its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoEvidence {
    /// The device is attacked. Being a victim never convicts.
    Victim,
    /// No completed handshake confirms the address, so any host can have sent the packets.
    Unconfirmed,
    /// Another Ethernet address sent the packets than the one that the device is known by.
    Foreign,
    /// It is the score of a model.
    Model,
    /// Its detector is not sure enough.
    Hint,
}

impl NoEvidence {
    /// Why this finding does not count; `None` if it does.
    pub(crate) fn of(finding: &Finding) -> Option<Self> {
        if finding.role.is_victim() {
            return Some(Self::Victim);
        }
        match finding.origin {
            Origin::Unconfirmed => return Some(Self::Unconfirmed),
            Origin::Foreign => return Some(Self::Foreign),
            Origin::Confirmed => {}
        }
        if finding.basis == Basis::Model {
            return Some(Self::Model);
        }
        (finding.confidence < CONFIDENCE_MIN).then_some(Self::Hint)
    }

    /// True if the packets may not be the device's own.
    pub(crate) const fn is_of_another(self) -> bool {
        matches!(self, Self::Unconfirmed | Self::Foreign)
    }

    /// In words.
    pub(crate) fn explain(self, finding: &Finding) -> String {
        let subject = finding.subject;
        let sender = finding
            .sender_mac
            .as_ref()
            .map(|mac| format!(" (the packets came from Ethernet address {mac})"))
            .unwrap_or_default();
        match self {
            Self::Victim => "the device is the victim: it is not to be contained".to_owned(),
            Self::Unconfirmed => format!(
                "no completed TCP handshake confirms that {subject} sent this{sender}: any host can have used its address"
            ),
            Self::Foreign => format!(
                "another host may be using the address {subject}{sender}, which is not the Ethernet address that it is known by"
            ),
            Self::Model => "a model's score is not evidence enough for a block".to_owned(),
            Self::Hint => format!(
                "{} is sure to {:.0} % only, which is a hint, not evidence for a block",
                finding.detector,
                finding.confidence * 100.0
            ),
        }
    }
}

/// Why nobody is to be blocked for these findings about a device, if so: none of them shows that the device itself sent
/// the packets, or it is the victim.
#[must_use]
pub fn objection(findings: &[Finding]) -> Option<String> {
    let speaks_against = |finding: &Finding| {
        let weakness = NoEvidence::of(finding);
        weakness.filter(|it| *it == NoEvidence::Victim || it.is_of_another())
    };
    let mut last = None;
    for finding in findings {
        last = Some(speaks_against(finding)?.explain(finding));
    }
    last
}

/// A finding that counts.
#[derive(Clone, Debug)]
struct Item {
    time: Time,
    detector: String,
    victims: u64,
}

/// What was found of suspects of late, and counts.
#[derive(Debug)]
pub(crate) struct Evidence {
    suspects: LruCache<IpAddr, VecDeque<Item>>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            suspects: LruCache::new(SUSPECTS),
        }
    }
}

impl Evidence {
    /// Remembers a finding that counts, for `within`.
    pub(crate) fn add(&mut self, finding: &Finding, now: Time, within: Span) {
        let items = self
            .suspects
            .get_or_insert_mut(finding.subject, VecDeque::new);
        // One of each detector: of those there are few.
        items.retain(|one| one.detector != finding.detector && is_fresh(one, now, within));
        items.push_back(Item {
            time: now,
            detector: finding.detector.clone(),
            victims: finding.victim_count,
        });
    }

    /// The detectors that suspected a device within the time, the latest last.
    pub(crate) fn against(&self, suspect: IpAddr, now: Time, within: Span) -> Vec<&str> {
        self.fresh(suspect, now, within)
            .map(|one| one.detector.as_str())
            .collect()
    }

    /// True if the device did something to more than one other.
    pub(crate) fn has_many_victims(&self, suspect: IpAddr, now: Time, within: Span) -> bool {
        self.fresh(suspect, now, within).any(|one| one.victims > 1)
    }

    fn fresh(&self, suspect: IpAddr, now: Time, within: Span) -> impl Iterator<Item = &Item> {
        let items = self.suspects.peek(&suspect).into_iter().flatten();
        items.filter(move |one| is_fresh(one, now, within))
    }
}

fn is_fresh(item: &Item, now: Time, within: Span) -> bool {
    let within = i64::try_from(within.as_nanos()).unwrap_or(i64::MAX);
    now.0.saturating_sub(item.time.0) <= within
}
