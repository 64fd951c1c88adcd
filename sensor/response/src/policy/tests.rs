use std::time::Duration;

use proptest::prelude::*;
use sensor_facts::{
    action::{Action, Cause},
    finding::{AttackRole, Basis, Origin},
    rule::{Rule, Scope},
    target::Protected,
};

use super::*;
use crate::config::{Group, Never};

const SUSPECT: &str = "10.1.0.66";

pub(super) fn finding(detector: &str, subject: &str, victims: &[&str]) -> Finding {
    let victims: Vec<IpAddr> = victims.iter().map(|it| it.parse().unwrap()).collect();
    Finding {
        id: 1,
        time: Time(0),
        detector: detector.to_owned(),
        technique: "T1046".to_owned(),
        subject: subject.parse().unwrap(),
        victim_count: victims.len() as u64,
        service: (victims.len() == 1).then_some(Service {
            transport: Transport::Tcp,
            port: 104,
        }),
        victims,
        offered: None,
        connection: Some((
            format!("{subject}:4000").parse().unwrap(),
            "10.1.0.1:104".parse().unwrap(),
        )),
        basis: Basis::Behaviour,
        confidence: 0.9,
        role: AttackRole::Suspect,
        features: Vec::new(),
        evidence: String::new(),
        wrong_if: String::new(),
        origin: Origin::Confirmed,
        sender_mac: Some("02:00:0a:01:00:42".to_owned()),
    }
}

pub(super) fn situation(book: &Book, seconds: i64) -> Situation<'_> {
    Situation {
        now: Time(seconds * 1_000_000_000),
        book,
        loss_percent: 0.0,
        known_devices: 50,
        inline: true,
        resets: false,
    }
}

pub(super) fn policy(mode: Mode) -> Policy {
    Policy::new(Containment {
        mode,
        ..Containment::default()
    })
}

/// Puts what was decided into the book, as the responder does.
fn carry_out(book: &mut Book, decision: &Decision, now: Time) -> Option<u64> {
    let (target, ttl) = decision.target?;
    if decision.verdict != ContainmentVerdict::Act {
        return None;
    }
    let id = book.next_id();
    let by = Actor::Policy {
        group: decision.group.clone(),
    };
    let rule = Rule {
        id,
        target,
        scope: Scope::All,
        state: State::Enabled,
        sticky: false,
        created: now,
        expires: Time(now.0 + i64::try_from(ttl).unwrap()),
        reason: "test".to_owned(),
        by: by.clone(),
    };
    guard::check(&rule, book).unwrap();
    let rule = Box::new(rule);
    book.apply(now, &by, &Action::RuleAdded { rule });
    Some(id)
}

fn end(book: &mut Book, id: u64, cause: Cause, actor: &Actor, now: Time) {
    let reason = String::new();
    book.apply(now, actor, &Action::RuleRemoved { id, cause, reason });
}

fn minutes(decision: &Decision) -> u64 {
    decision.target.map_or(0, |(_, ttl)| ttl / 60_000_000_000)
}

#[test]
fn automatic_waits_for_a_second_finding_and_takes_the_narrowest_target() {
    let mut policy = policy(Mode::Automatic);
    let mut book = Book::default();
    let first = finding("new_puller", SUSPECT, &["10.1.0.1"]);
    let decision = policy.decide(&first, &situation(&book, 0));
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");
    // The same detector again is no second opinion.
    let decision = policy.decide(&first, &situation(&book, 10));
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");

    let second = finding("ae_rejects", SUSPECT, &["10.1.0.1"]);
    let now = situation(&book, 20);
    let decision = policy.decide(&second, &now);
    assert_eq!(decision.verdict, ContainmentVerdict::Act, "{decision:?}");
    let target = decision.target.unwrap().0;
    assert_eq!(target.to_string(), "10.1.0.66 → 10.1.0.1 port 104/tcp");
    assert_eq!(minutes(&decision), 10);
    carry_out(&mut book, &decision, Time(20)).unwrap();

    // More of it in spite of the rule: the device.
    let decision = policy.decide(&first, &situation(&book, 30));
    let target = decision.target.unwrap().0;
    assert_eq!(
        (decision.verdict, target.to_string()),
        (ContainmentVerdict::Act, SUSPECT.to_owned())
    );
    carry_out(&mut book, &decision, Time(30)).unwrap();
    let decision = policy.decide(&second, &situation(&book, 40));
    assert_eq!(decision.verdict, ContainmentVerdict::NoAction);
    assert!(
        decision.reason.contains("blocks the device already"),
        "{decision:?}"
    );
}

#[test]
fn findings_too_far_apart_are_one_each() {
    let mut policy = policy(Mode::Automatic);
    let book = Book::default();
    policy.decide(
        &finding("scan", SUSPECT, &["10.1.0.1", "10.1.0.2"]),
        &situation(&book, 0),
    );
    let late = finding("ae_rejects", SUSPECT, &["10.1.0.1"]);
    let decision = policy.decide(&late, &situation(&book, 601));
    assert_eq!(decision.verdict, ContainmentVerdict::Wait);
}

#[test]
fn many_victims_call_for_the_device() {
    let mut policy = policy(Mode::Automatic);
    let book = Book::default();
    policy.decide(
        &finding("scan", SUSPECT, &["10.1.0.1", "10.1.0.2"]),
        &situation(&book, 0),
    );
    let decision = policy.decide(
        &finding("ae_rejects", SUSPECT, &["10.1.0.1"]),
        &situation(&book, 1),
    );
    assert_eq!(decision.target.unwrap().0.kind(), "device");
}

#[test]
fn repeat_offenders_are_blocked_for_longer_and_who_was_released_is_left_alone() {
    let mut policy = policy(Mode::Automatic);
    let mut book = Book::default();
    let findings = [
        finding("scan", SUSPECT, &["10.1.0.1", "10.1.0.2"]),
        finding("ae_rejects", SUSPECT, &["10.1.0.1"]),
    ];
    let mut lasted = Vec::new();
    for round in 0..5 {
        let start = round * 100_000;
        policy.decide(&findings[0], &situation(&book, start));
        let decision = policy.decide(&findings[1], &situation(&book, start + 1));
        assert_eq!(decision.verdict, ContainmentVerdict::Act, "{decision:?}");
        lasted.push(minutes(&decision));
        let now = Time((start + 1) * 1_000_000_000);
        let id = carry_out(&mut book, &decision, now).unwrap();
        end(&mut book, id, Cause::Expired, &Actor::Daemon, now);
    }
    assert_eq!(lasted, [10, 60, 240, 1_440, 1_440]);

    let person = Actor::Person { uid: 0, name: None };
    policy.decide(&findings[0], &situation(&book, 600_000));
    let decision = policy.decide(&findings[1], &situation(&book, 600_001));
    let now = Time(600_001 * 1_000_000_000);
    let id = carry_out(&mut book, &decision, now).unwrap();
    end(&mut book, id, Cause::Released, &person, now);
    let decision = policy.decide(&findings[0], &situation(&book, 600_100));
    assert_eq!(decision.verdict, ContainmentVerdict::NoAction);
    assert!(
        decision.reason.contains("left alone for 1h"),
        "{decision:?}"
    );
    policy.decide(&findings[1], &situation(&book, 603_700));
    let decision = policy.decide(&findings[0], &situation(&book, 603_702));
    assert_eq!(decision.verdict, ContainmentVerdict::Act, "{decision:?}");
}

#[test]
fn modes_and_groups() {
    let member = |text: &str| text.parse().unwrap();
    let group = |name: &str, members: &[&str], mode| Group {
        name: name.to_owned(),
        members: members.iter().map(|it| member(it)).collect(),
        mode,
    };
    let mut policy = Policy::new(Containment {
        group: vec![
            group("wards", &["10.1.0.0/24"], Mode::Propose),
            group("guests", &["10.9.0.0/16", "10.1.0.66"], Mode::Automatic),
        ],
        ..Containment::default()
    });
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    assert_eq!(
        policy.group_of(address("10.1.0.66")),
        ("wards", Mode::Propose)
    );
    assert_eq!(
        policy.group_of(address("10.9.1.1")),
        ("guests", Mode::Automatic)
    );
    assert_eq!(
        policy.group_of(address("10.2.0.1")),
        ("default", Mode::Observe)
    );
    let book = Book::default();
    let decision = policy.decide(
        &finding("scan", "10.1.0.7", &["10.1.0.1"]),
        &situation(&book, 0),
    );
    assert_eq!(
        (decision.verdict, decision.group.as_str()),
        (ContainmentVerdict::Propose, "wards")
    );
    policy.decide(
        &finding("scan", "10.2.0.7", &["10.1.0.1"]),
        &situation(&book, 0),
    );
    let decision = policy.decide(
        &finding("ae_rejects", "10.2.0.7", &["10.1.0.1"]),
        &situation(&book, 0),
    );
    assert_eq!(decision.verdict, ContainmentVerdict::WouldAct);
}

#[test]
fn nothing_is_done_under_loss_or_beyond_the_limits() {
    let mut book = Book::default();
    let options = Containment {
        mode: Mode::Automatic,
        second_finding: false,
        max_rules: 4,
        max_rules_per_minute: 3,
        max_subnet_percent: 10,
        ..Containment::default()
    };
    let mut policy = Policy::new(options);
    let many = ["10.1.0.1", "10.1.0.2"];
    let scan = |host: u8, net: u8| finding("scan", &format!("10.{net}.0.{host}"), &many);
    let mut lossy = situation(&book, 0);
    lossy.loss_percent = 1.5;
    let decision = policy.decide(&scan(9, 5), &lossy);
    assert!(
        decision.verdict == ContainmentVerdict::NoAction && decision.reason.contains("1.5 %"),
        "{decision:?}"
    );
    let mut mirror = situation(&book, 0);
    mirror.inline = false;
    let decision = policy.decide(&scan(9, 5), &mirror);
    assert!(
        decision.reason.contains("no interface is in the path"),
        "{decision:?}"
    );
    mirror.resets = true;
    let decision = policy.decide(&scan(9, 5), &mirror);
    assert_eq!(decision.target.unwrap().0.kind(), "flow", "{decision:?}");
    policy.made.clear();

    // 19 known devices: 10 per cent is one.
    let mut small = situation(&book, 1);
    small.known_devices = 19;
    let decision = policy.decide(&scan(9, 5), &small);
    assert_eq!(decision.verdict, ContainmentVerdict::Act);
    carry_out(&mut book, &decision, small_now(1)).unwrap();
    let mut small = situation(&book, 2);
    small.known_devices = 19;
    let decision = policy.decide(&scan(10, 5), &small);
    assert!(
        decision
            .reason
            .contains("1 of 19 known devices of 10.5.0.0/24"),
        "{decision:?}"
    );
    for net in [6, 7] {
        let decision = policy.decide(&scan(9, net), &situation(&book, 3));
        carry_out(&mut book, &decision, small_now(3)).unwrap();
    }
    let decision = policy.decide(&scan(9, 8), &situation(&book, 4));
    assert!(
        decision.reason.contains("in the last minute"),
        "{decision:?}"
    );
    let decision = policy.decide(&scan(9, 8), &situation(&book, 64));
    carry_out(&mut book, &decision, small_now(64)).unwrap();
    let decision = policy.decide(&scan(9, 9), &situation(&book, 200));
    assert!(
        decision.reason.contains("4 rules, which is its limit"),
        "{decision:?}"
    );
}

fn small_now(seconds: i64) -> Time {
    Time(i64::try_from(Duration::from_secs(u64::try_from(seconds).unwrap()).as_nanos()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes in whatever order: nothing protected is touched, no limit is passed, nothing is
    /// done under loss or in a mode that does not allow it.
    #[test]
    fn the_limits_hold_whatever_comes(
        mode in prop::sample::select(vec![Mode::Observe, Mode::Propose, Mode::Automatic]),
        second in any::<bool>(),
        steps in prop::collection::vec((0..3_usize, 1..12_u8, 1..4_u8, 0..3_u8, 0..40_i64), 1..80),
    ) {
        let protected: Protected = "10.1.0.3".parse().unwrap();
        let protected_net: Protected = "10.1.0.8/30".parse().unwrap();
        let options = Containment {
            mode,
            second_finding: second,
            max_rules: 5,
            max_rules_per_minute: 2,
            protect: vec![Never(protected)],
            ..Containment::default()
        };
        let mut policy = Policy::new(options);
        let mut book = Book::default();
        book.configure(&[protected, protected_net], Time(0));
        let mut now = 0;
        let mut acts: Vec<i64> = Vec::new();
        for (detector, subject, victims, loss, later) in steps {
            now += later;
            let detector = ["scan", "ae_rejects", "new_puller"][detector];
            let victims: Vec<_> = (0..victims).map(|it| format!("10.1.1.{}", it + 1)).collect();
            let victims: Vec<&str> = victims.iter().map(String::as_str).collect();
            let subject = format!("10.1.0.{subject}");
            for id in book.expired(Time(now * 1_000_000_000)) {
                end(&mut book, id, Cause::Expired, &Actor::Daemon, Time(now * 1_000_000_000));
            }
            let mut situation = situation(&book, now);
            situation.loss_percent = f64::from(loss);
            let decision = policy.decide(&finding(detector, &subject, &victims), &situation);
            prop_assert!(!decision.reason.is_empty());
            if decision.verdict != ContainmentVerdict::Act {
                continue;
            }
            prop_assert!(mode == Mode::Automatic);
            prop_assert!(loss <= 1);
            let (target, _) = decision.target.unwrap();
            prop_assert!(!guard::protects(&protected, &target));
            prop_assert!(!guard::protects(&protected_net, &target));
            acts.push(now);
            prop_assert!(acts.iter().filter(|time| now - **time < 60).count() <= 2);
            // `carry_out` asks the guard, which must not refuse.
            carry_out(&mut book, &decision, Time(now * 1_000_000_000)).unwrap();
            prop_assert!(book.len() <= 5);
        }
    }
}
