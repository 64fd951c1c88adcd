//! What never counts as evidence against a device: being attacked, packets that anyone can forge, scores and hints.

use super::tests::{finding, policy, situation};
use super::*;
use sensor_facts::finding::{AttackRole, Basis, Origin};

const DEVICE: &str = "10.1.2.50";

/// Decides in turn about findings of one device in automatic mode.
fn decide_all(findings: &[Finding]) -> Vec<Decision> {
    let mut policy = policy(Mode::Automatic);
    let book = Book::default();
    let decide = |finding| policy.decide(finding, &situation(&book, 1));
    findings.iter().map(decide).collect()
}

fn of(detector: &str, change: impl FnOnce(&mut Finding)) -> Finding {
    let mut one = finding(detector, DEVICE, &["10.1.1.10"]);
    change(&mut one);
    one
}

fn good(detector: &str) -> Finding {
    of(detector, |_| {})
}

/// Two findings that count are acted upon, whatever came before. If one of them is `spoilt`, they are not.
fn does_not_count(spoil: impl Fn(&mut Finding)) -> Decision {
    let spoilt = || of("ae_rejects", &spoil);
    for findings in [
        vec![spoilt(), good("scan")],
        vec![good("scan"), spoilt()],
        vec![spoilt(), of("brute_force", &spoil), good("scan")],
    ] {
        let acted = decide_all(&findings)
            .iter()
            .any(|one| one.verdict == ContainmentVerdict::Act);
        assert!(!acted, "{findings:?}");
    }
    let decisions = decide_all(&[spoilt(), good("scan"), good("brute_force")]);
    assert_eq!(
        decisions.last().map(|one| one.verdict),
        Some(ContainmentVerdict::Act),
        "two others are enough"
    );
    decisions.into_iter().next().expect("three")
}

#[test]
fn being_a_victim_never_convicts() {
    let decision = does_not_count(|one| one.role = AttackRole::Victim);
    assert_eq!(decision.verdict, ContainmentVerdict::NoAction);
    assert!(decision.reason.contains("is the victim"), "{decision:?}");
}

#[test]
fn an_address_that_no_handshake_confirms_is_not_blocked() {
    let decision = does_not_count(|one| one.origin = Origin::Unconfirmed);
    assert_eq!(decision.verdict, ContainmentVerdict::NoAction);
    assert!(
        decision.reason.contains("02:00:0a:01:00:42") && decision.reason.contains("no completed"),
        "{decision:?}"
    );
}

#[test]
fn an_address_used_from_another_ethernet_address_is_not_blocked() {
    let decision = does_not_count(|one| one.origin = Origin::Foreign);
    assert_eq!(decision.verdict, ContainmentVerdict::NoAction);
    assert!(
        decision.reason.contains("02:00:0a:01:00:42"),
        "{decision:?}"
    );
}

#[test]
fn a_score_and_a_weak_hint_confirm_nothing() {
    let decision = does_not_count(|one| one.basis = Basis::Model);
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");
    let decision = does_not_count(|one| {
        one.basis = Basis::Statistics;
        one.confidence = 0.35;
    });
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");
    let decision = does_not_count(|one| {
        one.basis = Basis::Novelty;
        one.confidence = 0.25;
    });
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");
}

/// A rule about a back door blocks that service of the device, whoever asks for it: not what the device asks of others.
#[test]
fn a_new_service_is_blocked_where_it_is_offered() {
    let ssh = Service {
        transport: Transport::Tcp,
        port: 22,
    };
    let found = of("new_service", |one| {
        one.service = None;
        one.offered = Some(ssh);
    });
    let decisions = decide_all(&[good("scan"), found]);
    let (target, _) = decisions[1].target.expect("a target");
    assert_eq!(
        target,
        Target::Service {
            address: DEVICE.parse().unwrap(),
            service: ssh
        }
    );
}

/// Even where one finding is enough.
#[test]
fn a_score_alone_never_blocks() {
    let mut policy = Policy::new(Containment {
        mode: Mode::Automatic,
        second_finding: false,
        ..Containment::default()
    });
    let book = Book::default();
    let score = of("strange_flows", |one| one.basis = Basis::Model);
    let decision = policy.decide(&score, &situation(&book, 1));
    assert_eq!(decision.verdict, ContainmentVerdict::Wait, "{decision:?}");
    let decision = policy.decide(&good("scan"), &situation(&book, 1));
    assert_eq!(decision.verdict, ContainmentVerdict::Act, "{decision:?}");
}

/// A person may decide otherwise, and is told what the evidence lacks.
#[test]
fn a_proposal_says_that_the_address_may_be_forged() {
    let mut policy = policy(Mode::Propose);
    let book = Book::default();
    let forged = of("scan", |one| one.origin = Origin::Unconfirmed);
    let decision = policy.decide(&forged, &situation(&book, 1));
    assert_eq!(decision.verdict, ContainmentVerdict::Propose);
    assert!(
        decision
            .reason
            .contains("any host can have used its address"),
        "{decision:?}"
    );
}

/// Forged findings take no room: they make nobody forget what was found of a suspect.
#[test]
fn strangers_do_not_make_the_policy_forget() {
    let mut policy = policy(Mode::Automatic);
    let book = Book::default();
    policy.decide(&good("scan"), &situation(&book, 1));
    for number in 0..10_000_u32 {
        let mut forged = of("scan", |one| one.origin = Origin::Unconfirmed);
        forged.subject = IpAddr::from((0x0a09_0000 + number).to_be_bytes());
        policy.decide(&forged, &situation(&book, 1));
    }
    let decision = policy.decide(&good("ae_rejects"), &situation(&book, 2));
    assert_eq!(decision.verdict, ContainmentVerdict::Act, "{decision:?}");
}
