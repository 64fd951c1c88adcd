//! The rule book as the first entry of a segment describes it.

use std::net::IpAddr;

use sensor_facts::{
    action::{Change, RuleChange, SegmentEnd},
    rule::Scope,
};

use super::*;

/// When the action of this number is done.
fn time_of(number: usize) -> Time {
    Time((i64::try_from(number).unwrap() + 10) * 1_000)
}

fn person() -> Actor {
    Actor::Person {
        uid: 7,
        name: Some("nurse".to_owned()),
    }
}

fn rule(id: RuleId, by: Actor, state: State) -> Action {
    let address = IpAddr::from([10, 0, 0, u8::try_from(id).unwrap()]);
    Action::RuleAdded {
        rule: Box::new(Rule {
            id,
            target: Target::Device { address },
            scope: Scope::All,
            state,
            sticky: false,
            created: Time(1_000),
            expires: Time(1_000_000),
            reason: "a test".to_owned(),
            by,
        }),
    }
}

/// What a start makes of the last segment is what all entries say.
#[test]
fn a_segments_begin_says_all_that_is_in_force() {
    let policy = || Actor::Policy {
        group: "default".to_owned(),
    };
    let what: Protected = "10.1.0.0/16".parse().unwrap();
    let reason = || "a test".to_owned();
    let actions = [
        (policy(), rule(1, policy(), State::Enabled)),
        (person(), rule(2, person(), State::DryRun)),
        (policy(), rule(3, policy(), State::Proposed)),
        (
            person(),
            Action::Protected {
                what,
                reason: reason(),
            },
        ),
        (
            person(),
            Action::RuleChanged(RuleChange {
                id: 3,
                change: Change::Approved,
                state: State::Enabled,
                expires: Time(2_000_000),
                reason: reason(),
            }),
        ),
        (
            person(),
            Action::RuleRemoved {
                id: 1,
                cause: Cause::Released,
                reason: reason(),
            },
        ),
        (policy(), rule(4, policy(), State::Enabled)),
        (
            person(),
            Action::Unprotected {
                what,
                reason: reason(),
            },
        ),
        (
            person(),
            Action::ReleasedAll {
                ids: vec![2, 3, 4],
                reason: reason(),
            },
        ),
        (policy(), rule(5, policy(), State::Enabled)),
    ];
    // A segment may begin after any of them.
    let mut whole = Book::default();
    for cut in 0..actions.len() {
        let mut before = Book::default();
        for (at, (actor, action)) in actions.iter().enumerate() {
            if at < cut {
                before.apply(time_of(at), actor, action);
            }
        }
        let begin = Action::SegmentBegun {
            segment: 2,
            previous: SegmentEnd {
                segment: 1,
                last_entry: cut as u64,
                hash: String::new(),
            },
            standing: Box::new(before.standing()),
        };
        // As it is written and read again.
        let begin = serde_json::from_str(&serde_json::to_string(&begin).unwrap()).unwrap();
        let mut after = Book::default();
        after.apply(Time(9_000), &Actor::Daemon, &begin);
        whole = Book::default();
        for (at, (actor, action)) in actions.iter().enumerate() {
            whole.apply(time_of(at), actor, action);
            if at >= cut {
                after.apply(time_of(at), actor, action);
            }
        }
        assert_eq!(after, whole, "cut at {cut}");
    }
    assert_eq!((whole.len(), whole.next_id()), (1, 6));
}
