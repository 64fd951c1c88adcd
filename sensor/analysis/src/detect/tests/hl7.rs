//! What is done by HL7.

use super::{Lab, SECOND, as_it_is, host, set_to};
use crate::detect::Detect;
use sensor_facts::setting::Span;

const LAB_PORT: u16 = 40_000;

/// The laboratory sends a result to the EHR, which accepts it.
fn routine(lab: &mut Lab) {
    message(lab, 30, "LAB", "1");
}

fn message(lab: &mut Lab, from: u8, application: &str, control: &str) {
    lab.hl7((host(from), LAB_PORT), host(40), |message| {
        message.sending_application = Some(application.to_owned());
        message.control_id = Some(control.to_owned());
    });
}

#[test]
fn a_new_sender_is_told() {
    let mut lab = Lab::new("hl7_sender", as_it_is);
    message(&mut lab, 66, "LAB", "1");
    lab.is_quiet("the site is learnt");
    let mut lab = Lab::learnt("hl7_sender", as_it_is, routine);
    routine(&mut lab);
    lab.ack((host(30), LAB_PORT), host(40), "1", "AA");
    lab.is_quiet("as each day");
    message(&mut lab, 66, "LAB", "1");
    let borrowed = lab.finds(host(66));
    assert_eq!(borrowed.victims, [host(40)]);
    message(&mut lab, 67, "OTHER", "1");
    let own = lab.finds(host(67));
    assert!(
        borrowed.confidence > own.confidence,
        "under another's name it is worse"
    );
}

#[test]
fn a_merge_by_who_sends_no_admissions_is_told() {
    let send = |lab: &mut Lab, from: u8, kind: &str| {
        lab.hl7((host(from), LAB_PORT), host(40), |message| {
            message.message_type = Some(kind.to_owned());
        });
    };
    let mut lab = Lab::learnt("hl7_sender", as_it_is, |lab| {
        send(lab, 30, "ORU^R01^ORU_R01");
        send(lab, 31, "ADT^A01^ADT_A01");
        send(lab, 32, "ADT^A40^ADT_A39");
    });
    send(&mut lab, 30, "ORU^R30^ORU_R30");
    send(&mut lab, 30, "ADT^A08^ADT_A01");
    send(&mut lab, 32, "ADT^A40^ADT_A39");
    lab.is_quiet("other results, an update of data, and who merges always");
    send(&mut lab, 31, "ADT^A40^ADT_A39");
    assert!(lab.finds(host(31)).confidence < 0.5, "merges are rare");
    send(&mut lab, 30, "ADT^A40");
    let finding = lab.finds(host(30));
    assert!(finding.confidence > 0.6 && finding.evidence.contains("ADT^A40 message, which merges"));
}

fn replays(detect: &mut Detect) {
    set_to(detect, "replays", 3_u32);
    set_to(detect, "replays_within", Span::from_secs(600));
}

/// Ten messages of a connection, each answered with `code`.
fn sent(lab: &mut Lab, port: u16, code: &str) {
    for control in 0..10 {
        lab.hl7((host(30), port), host(40), |message| {
            message.control_id = Some(control.to_string());
            message.message_time = Some("20241004090000".to_owned());
        });
        lab.ack((host(30), port), host(40), &control.to_string(), code);
        lab.wait(1);
    }
}

#[test]
fn a_replay_is_accepted_messages_that_come_again() {
    let mut lab = Lab::new("hl7_replay", replays);
    sent(&mut lab, 40_000, "AA");
    lab.is_quiet("for the first time");
    sent(&mut lab, 40_000, "AA");
    lab.is_quiet("by the same connection it is the sender's own doing");
    sent(&mut lab, 40_001, "AA");
    assert_eq!(lab.finds(host(30)).technique, "T1565.002");

    let mut lab = Lab::new("hl7_replay", replays);
    sent(&mut lab, 40_000, "AE");
    sent(&mut lab, 40_001, "AA");
    lab.is_quiet("they had been refused, so they come again");
}

#[test]
fn two_messages_again_are_no_replay() {
    let mut lab = Lab::new("hl7_replay", replays);
    sent(&mut lab, 40_000, "AA");
    for control in ["1", "2"] {
        lab.hl7((host(30), 40_001), host(40), |message| {
            message.control_id = Some(control.to_owned());
            message.message_time = Some("20241004090000".to_owned());
        });
    }
    lab.is_quiet("two");
    lab.hl7((host(30), 40_001), host(40), |message| {
        message.control_id = Some("3".to_owned());
        message.message_time = Some("20241004090000".to_owned());
    });
    lab.finds(host(30));
}

/// `all` messages, the last `refused` of them so.
fn answered(lab: &mut Lab, all: u32, refused: u32) {
    for number in 0..all {
        let code = if number + refused < all { "AA" } else { "AE" };
        message(lab, 30, "LAB", &number.to_string());
        lab.ack((host(30), LAB_PORT), host(40), &number.to_string(), code);
    }
}

#[test]
fn a_burst_of_refusals_is_many_and_most() {
    let set = |detect: &mut Detect| {
        set_to(detect, "naks", 10_u32);
        set_to(detect, "unusual", 6.0);
    };
    let mut lab = Lab::new("nak_burst", set);
    answered(&mut lab, 9, 9);
    lab.is_quiet("nine");
    lab.wait(300);
    answered(&mut lab, 60, 20);
    lab.is_quiet("a third of them");
    lab.wait(300);
    answered(&mut lab, 10, 10);
    assert_eq!(lab.finds(host(30)).victims, [host(40)]);

    let mut lab = Lab::learnt(
        "nak_burst",
        |detect| set_to(detect, "naks", 1_000_u32),
        |lab| {
            answered(lab, 30, 30);
        },
    );
    answered(&mut lab, 30, 30);
    lab.is_quiet("below what is many");
}

/// Messages a second apart whose time is `off` seconds from the sensor's.
fn timed(lab: &mut Lab, count: u32, off: i64) {
    for _ in 0..count {
        let second = lab.now / SECOND + off;
        let time = jiff::Timestamp::from_second(second).expect("a time");
        let text = time.strftime("%Y%m%d%H%M%S").to_string();
        lab.hl7((host(30), LAB_PORT), host(40), |message| {
            message.message_time = Some(text.clone());
        });
        lab.wait(1);
    }
}

#[test]
fn skew_is_messages_that_are_not_of_their_senders_time() {
    let set = |detect: &mut Detect| set_to(detect, "time_skew", Span::from_secs(900));
    let mut lab = Lab::new("time_skew", set);
    timed(&mut lab, 20, -7_000);
    lab.is_quiet("a clock that was always wrong");
    timed(&mut lab, 20, -7_000 + 800);
    lab.is_quiet("within the limit");
    timed(&mut lab, 2, -100_000);
    timed(&mut lab, 1, -7_000);
    timed(&mut lab, 2, -100_000);
    lab.is_quiet("never three in a row");
    timed(&mut lab, 1, -100_000);
    let far = lab.finds(host(30));
    let mut lab = Lab::new("time_skew", set);
    timed(&mut lab, 20, 0);
    for late in [2_000, 1_970, 1_940, 1_910, 1_880] {
        timed(&mut lab, 1, -late);
    }
    lab.is_quiet("it sends what it had kept");
    let mut lab = Lab::new("time_skew", set);
    timed(&mut lab, 20, 0);
    timed(&mut lab, 3, 3_600);
    assert!(
        lab.finds(host(30)).confidence < far.confidence,
        "a whole hour is daylight saving"
    );
}
