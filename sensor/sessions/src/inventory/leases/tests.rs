use super::*;

const CLIENT: Mac = [0, 0x12, 0x21, 1, 2, 3];
const OTHER: Mac = [2, 0, 0, 0, 0, 0x77];
/// A server and its Ethernet address.
type End = (u8, u8);
const SERVER: End = (1, 0x10);
const ROGUE: End = (66, 0x66);

/// Leases and the clock, seconds.
struct Lab {
    leases: Leases,
    now: i64,
}

fn ip(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, host)
}

fn message(reply: bool, kind: u8, mac: Mac, transaction: u32) -> DhcpFacts {
    DhcpFacts {
        reply,
        ..DhcpFacts::plain(kind, mac, transaction)
    }
}

impl Lab {
    fn new() -> Self {
        Self {
            leases: Leases::new(),
            now: 1_000,
        }
    }

    fn take(&mut self, mut facts: DhcpFacts, sender: Ipv4Addr) -> (Belief, Asked) {
        let time = Time(self.now * SECOND);
        let belief = self.leases.take(&mut facts, sender.into(), time);
        (belief, facts.asked)
    }

    /// A client says something; `change` makes it another.
    fn says(&mut self, kind: u8, transaction: u32, change: impl FnOnce(&mut DhcpFacts)) {
        let mut facts = message(false, kind, CLIENT, transaction);
        change(&mut facts);
        self.take(facts, Ipv4Addr::UNSPECIFIED);
    }

    /// A server answers.
    fn answers(&mut self, kind: u8, transaction: u32, (host, mac): End) -> (Belief, Asked) {
        let mut facts = message(true, kind, CLIENT, transaction);
        facts.frame_mac = [2, 0, 0, 0, 0, mac];
        facts.server = Some(ip(host));
        facts.yours = ip(9);
        self.take(facts, ip(host))
    }
}

#[test]
fn a_lease_is_believed_if_its_client_asked_for_it() {
    let mut lab = Lab::new();
    lab.says(dhcp::DISCOVER, 7, |_| {});
    assert_eq!(
        lab.answers(dhcp::OFFER, 7, SERVER),
        (Belief::No, Asked::Yes)
    );
    lab.says(dhcp::REQUEST, 7, |facts| facts.server = Some(ip(1)));
    assert_eq!(
        lab.answers(dhcp::ACK, 7, SERVER),
        (Belief::Holds, Asked::Yes)
    );
    // A retransmission, and the next time.
    assert_eq!(
        lab.answers(dhcp::ACK, 7, SERVER),
        (Belief::Holds, Asked::Yes)
    );
    lab.now += 3_600;
    lab.says(dhcp::REQUEST, 8, |_| {});
    assert_eq!(
        lab.answers(dhcp::ACK, 8, SERVER),
        (Belief::Holds, Asked::Yes)
    );
}

#[test]
fn nobody_is_believed_who_was_not_asked() {
    let mut lab = Lab::new();
    let (no, unasked) = (Belief::No, Asked::No);
    assert_eq!(lab.answers(dhcp::ACK, 7, SERVER), (no, unasked));
    lab.says(dhcp::REQUEST, 7, |_| {});
    assert_eq!(
        lab.answers(dhcp::ACK, 8, SERVER),
        (no, unasked),
        "another transaction"
    );
    lab.says(dhcp::REQUEST, 9, |facts| facts.client_mac = OTHER);
    assert_eq!(
        lab.answers(dhcp::ACK, 9, SERVER),
        (no, unasked),
        "another client"
    );
    assert_eq!(
        lab.answers(dhcp::OFFER, 7, SERVER),
        (no, unasked),
        "it looked for nobody"
    );
    lab.now += 91;
    assert_eq!(lab.answers(dhcp::ACK, 7, SERVER), (no, unasked), "long ago");
}

#[test]
fn a_question_that_another_asked_makes_no_lease() {
    let mut lab = Lab::new();
    // Who sends it is not the client that it is for, as behind a relay agent, or where someone makes it up.
    lab.says(dhcp::REQUEST, 7, |facts| facts.frame_mac = OTHER);
    assert_eq!(lab.answers(dhcp::ACK, 7, SERVER), (Belief::No, Asked::Yes));
    // The client's own counts, whatever others add.
    lab.says(dhcp::REQUEST, 8, |_| {});
    lab.says(dhcp::REQUEST, 8, |facts| {
        facts.frame_mac = OTHER;
        facts.server = Some(ip(66));
    });
    assert_eq!(
        lab.answers(dhcp::ACK, 8, SERVER),
        (Belief::Holds, Asked::Yes)
    );
}

#[test]
fn a_server_that_the_client_did_not_choose_is_not_believed() {
    let mut lab = Lab::new();
    lab.says(dhcp::REQUEST, 7, |facts| facts.server = Some(ip(1)));
    assert_eq!(lab.answers(dhcp::ACK, 7, ROGUE), (Belief::No, Asked::Yes));
}

#[test]
fn a_second_server_is_not_believed_before_it_is_known_for_long() {
    let mut lab = Lab::new();
    let ask = |lab: &mut Lab, transaction, server| {
        lab.says(dhcp::REQUEST, transaction, |_| {});
        lab.answers(dhcp::ACK, transaction, server).0
    };
    assert_eq!(ask(&mut lab, 1, SERVER), Belief::Holds);
    assert_eq!(ask(&mut lab, 2, ROGUE), Belief::No);
    assert_eq!(
        ask(&mut lab, 3, (1, 0x66)),
        Belief::No,
        "in the name of the first"
    );
    lab.now += 86_400;
    assert_eq!(
        ask(&mut lab, 4, ROGUE),
        Belief::Holds,
        "it has been there for a day"
    );
    assert_eq!(ask(&mut lab, 5, SERVER), Belief::Holds);
}

#[test]
fn two_servers_that_contradict_each_other_at_first_are_both_not_believed() {
    let mut lab = Lab::new();
    lab.says(dhcp::REQUEST, 7, |_| {});
    // The faster one may be the false one.
    assert_eq!(lab.answers(dhcp::ACK, 7, ROGUE).0, Belief::Holds);
    assert_eq!(lab.answers(dhcp::ACK, 7, SERVER).0, Belief::Contradicted);
}

#[test]
fn a_refusal_and_an_answer_about_settings_are_no_lease() {
    let mut lab = Lab::new();
    lab.says(dhcp::REQUEST, 7, |_| {});
    assert_eq!(lab.answers(dhcp::NAK, 7, SERVER), (Belief::No, Asked::Yes));
    lab.says(dhcp::INFORM, 8, |facts| facts.client = ip(9));
    // It is told to believe it, and there is no address in it: see `DhcpFacts::lease`.
    let mut facts = message(true, dhcp::ACK, CLIENT, 8);
    facts.server = Some(ip(1));
    facts.frame_mac = [2, 0, 0, 0, 0, 0x10];
    assert_eq!(facts.lease(), None);
    assert_eq!(lab.take(facts, ip(1)).1, Asked::Yes);
}

#[test]
fn in_a_crowd_it_is_not_said_that_nobody_asked() {
    let mut lab = Lab::new();
    for number in 0..CROWD {
        let [_, _, high, low] = number.to_be_bytes();
        lab.says(dhcp::DISCOVER, number, |facts| {
            facts.client_mac = [2, 0, 0, 0, high, low];
        });
    }
    let unknown = (Belief::No, Asked::Unknown);
    assert_eq!(lab.answers(dhcp::ACK, 7_000, SERVER), unknown);
    lab.now += 91;
    assert_eq!(lab.answers(dhcp::ACK, 7_000, SERVER).1, Asked::No);
}

#[test]
fn strangers_push_no_question_and_no_server_out() {
    let mut lab = Lab::new();
    lab.says(dhcp::REQUEST, 7, |_| {});
    assert_eq!(lab.answers(dhcp::ACK, 7, SERVER).0, Belief::Holds);
    lab.says(dhcp::REQUEST, 8, |_| {});
    // As many as a CPU tells in the time in which an answer counts.
    for number in 0..256 * 88 {
        let [_, a, b, c] = u32::to_be_bytes(number);
        lab.says(dhcp::DISCOVER, number, |facts| {
            facts.client_mac = [2, 1, 1, a, b, c];
        });
    }
    for number in 0..300_u32 {
        lab.says(dhcp::REQUEST, 100_000 + number, |_| {});
        let [.., high, low] = number.to_be_bytes();
        lab.answers(dhcp::ACK, 100_000 + number, (high, low));
    }
    assert_eq!(
        lab.answers(dhcp::ACK, 8, SERVER),
        (Belief::Holds, Asked::Yes)
    );
    assert!(lab.leases.servers.len() <= SERVERS);
}
