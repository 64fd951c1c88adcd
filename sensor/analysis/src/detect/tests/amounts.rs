//! Amounts far from the usual, and exposure.

use sensor_common::packet::protocol;
use sensor_facts::finding::Basis;

use super::{Lab, What, as_it_is, host, set_to};
use crate::detect::Detect;

fn set(detect: &mut Detect) {
    set_to(detect, "unusual", 6.0);
}

/// Sends megabytes to a server that it knows.
fn send(lab: &mut Lab, megabytes: u64) {
    lab.flow(protocol::TCP, host(9), (host(1), 443), |facts| {
        facts.to_server.bytes = megabytes * 1_000_000;
    });
    lab.rest();
}

#[test]
fn an_unusual_amount_is_far_above_what_is_done_at_this_time() {
    let mut lab = Lab::learnt("unusual_amount", set, |lab| send(lab, 10));
    send(&mut lab, 40);
    lab.is_quiet("more than usual, and not much");
    let mut lab = Lab::learnt("unusual_amount", set, |lab| send(lab, 10));
    send(&mut lab, 5_000);
    let found = lab.found();
    let own = found.iter().find(|one| one.subject == host(9));
    let own = own.expect("a finding");
    assert_eq!(own.basis, Basis::Statistics);
    let sent = own.features.iter().find(|one| one.value >= 5_000_000_000);
    let range = sent.and_then(|one| one.range).expect("what is usual");
    assert!(range.0 < 10_000_000 && range.1 > 10_000_000, "{range:?}");
}

#[test]
fn an_amount_below_what_is_worth_a_finding_is_not_unusual() {
    let much = |detect: &mut Detect| {
        set(detect);
        for key in ["", "_hour", "_day"] {
            let key = format!("unusual_bytes_out{key}");
            set_to(detect, &key, 10_000_000_000_u64);
        }
    };
    let mut lab = Lab::learnt("unusual_amount", much, |lab| send(lab, 10));
    send(&mut lab, 5_000);
    let found = lab.found();
    assert!(found.iter().all(|one| one.subject != host(9)), "{found:?}");
}

#[test]
fn without_history_no_amount_is_unusual() {
    let mut lab = Lab::new("unusual_amount", set);
    send(&mut lab, 5_000);
    lab.is_quiet("nothing is known of what is usual");
}

#[test]
fn clear_text_is_an_exposure_that_is_told_once() {
    let mut lab = Lab::new("clear_text", as_it_is);
    lab.dicom(host(50), host(1), What::ClinicalTls);
    lab.is_quiet("TLS");
    (0..20).for_each(|_| lab.associate(host(20), host(1), "CT1", "1.2.3"));
    let found = lab.found();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].basis, Basis::Exposure);
    lab.hl7((host(30), 40_000), host(40), |_| {});
    assert_eq!(lab.finds(host(30)).victims, [host(40)]);
    assert_eq!(lab.analysis.alerts().all().count(), 0, "never an alert");
}
