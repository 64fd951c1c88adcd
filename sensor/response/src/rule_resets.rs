//! Which connections are reset: those that an enabled rule blocks, as long as a mirror shows their packets.

use std::collections::HashMap;

use sensor_facts::{
    clock,
    effect::{Effect, Effectiveness},
    rule::{Rule, RuleId, State},
    target::Target,
    time::Time,
};

use super::{
    Keeper,
    reset::{Flow, Limits, ResetHandle, ResetOptions, ResetReport, ResetState, Resetter, Vlan},
};

/// Where copies come from and resets go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Interfaces that receive copies.
    pub mirrors: Vec<String>,
    /// The interface that resets leave by; without it none are sent.
    pub response: Option<String>,
}

impl Mirrors {
    /// The response interface, if a mirror could show something to reset.
    #[must_use]
    pub fn responds(&self) -> Option<&str> {
        self.response
            .as_deref()
            .filter(|_| !self.mirrors.is_empty())
    }
}

/// The work of one rule.
enum Work {
    Running(ResetHandle),
    /// It is over, or could not begin.
    Over,
}

/// The resets of all rules.
pub struct RuleResets {
    mirrors: Mirrors,
    work: HashMap<RuleId, Work>,
    /// Resets that were sent for rules whose work is over.
    sent: u64,
}

/// What a rule's resets came to.
pub struct Ended {
    /// Id of the rule.
    pub id: RuleId,
    /// How many packets were sent.
    pub packets: u64,
    /// How it ended, in words.
    pub outcome: String,
}

impl RuleResets {
    /// No rule has resets yet.
    #[must_use]
    pub fn new(mirrors: Mirrors) -> Self {
        Self {
            mirrors,
            work: HashMap::new(),
            sent: 0,
        }
    }

    /// True if resets can be sent on one of the mirrors.
    #[must_use]
    pub fn possible(&self) -> bool {
        self.mirrors.responds().is_some()
    }

    /// Resets sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        let running = self.work.values().map(|work| match work {
            Work::Running(handle) => handle.report().sent(),
            Work::Over => 0,
        });
        self.sent + running.sum::<u64>()
    }

    /// Begins the work of rules that are new, and stops that of rules which are no more. What ended.
    pub fn follow(&mut self, keeper: &Keeper) -> Vec<Ended> {
        let Some(response) = self.mirrors.responds().map(str::to_owned) else {
            return Vec::new();
        };
        let mut ended = Vec::new();
        let wanted: HashMap<RuleId, (Flow, &Rule)> = keeper
            .book()
            .rules()
            .filter(|rule| rule.state == State::Enabled)
            .filter_map(|rule| Some((rule.id, (Flow::of(&rule.target).ok()?, rule))))
            .collect();
        let gone: Vec<_> = self
            .work
            .keys()
            .filter(|id| !wanted.contains_key(id))
            .copied()
            .collect();
        for id in gone {
            if let Some(Work::Running(handle)) = self.work.remove(&id) {
                let report = handle.stop();
                self.sent += report.sent();
                ended.push(told(id, &report));
            }
        }
        for (id, (flow, rule)) in wanted {
            if self.work.contains_key(&id) {
                continue;
            }
            let left = keeper
                .engine(rule.expires)
                .saturating_sub(clock::monotonic());
            let options = ResetOptions {
                mirrors: self.mirrors.mirrors.clone(),
                response: response.clone(),
                flow,
                limits: Limits {
                    lifetime: std::time::Duration::from_nanos(left.max(1)),
                    ..Limits::default()
                },
                vlan: Vlan::default(),
            };
            let is_protected = |address| {
                let device = Target::Device { address };
                super::guard::check_protected(&device, keeper.book()).is_err()
            };
            let work = match Resetter::start(options, is_protected) {
                Ok(handle) => Work::Running(handle),
                Err(error) => {
                    ended.push(Ended {
                        id,
                        packets: 0,
                        outcome: format!("none could be sent: {error}"),
                    });
                    Work::Over
                }
            };
            self.work.insert(id, work);
        }
        ended
    }

    /// What the running ones say, and those that came to their end since the last time.
    pub fn look(&mut self) -> (HashMap<RuleId, ResetReport>, Vec<Ended>) {
        let mut reports = HashMap::new();
        let mut ended = Vec::new();
        for (id, work) in &mut self.work {
            let Work::Running(handle) = work else {
                continue;
            };
            let report = handle.report();
            if report.is_final() {
                self.sent += report.sent();
                ended.push(told(*id, &report));
                *work = Work::Over;
            }
            reports.insert(*id, report);
        }
        (reports, ended)
    }
}

fn told(id: RuleId, report: &ResetReport) -> Ended {
    Ended {
        id,
        packets: report.sent(),
        outcome: match &report.state {
            ResetState::Watching => "nothing of the connection was seen".to_owned(),
            ResetState::Sent => {
                "the rule ended while the connection may still have gone on".to_owned()
            }
            ResetState::Ended => "the connection is over".to_owned(),
            ResetState::Exhausted => "the connection goes on, no more are sent".to_owned(),
            ResetState::Expired => "the rule's time was over".to_owned(),
            ResetState::Failed(why) => format!("it failed: {why}"),
        },
    }
}

/// The verdict on a rule by its resets.
pub(super) fn effect(report: &ResetReport, before: &Effect, now: Time) -> Effect {
    let verdict = match report.state {
        ResetState::Ended => Effectiveness::Effective,
        ResetState::Exhausted | ResetState::Failed(_) => Effectiveness::NotEffective,
        ResetState::Watching | ResetState::Sent | ResetState::Expired => Effectiveness::Unverified,
    };
    Effect {
        verdict,
        since: if before.verdict == verdict {
            before.since
        } else {
            Some(now)
        },
        at: report.last,
        detail: format!(
            "{} TCP resets sent to both ends, {} packets of the connection seen",
            report.sent(),
            report.packets_seen
        ),
    }
}
