//! Transfers whose numbers run on while resets are on their way.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use sensor_response::reset::{ResetReport, ResetState};
use tests::{
    ability,
    hospital::{Hospital, RESPONSE, Role},
    wait::wait_for,
};

use super::{
    LIMIT,
    detour::{Detour, LATE},
    final_report, hospital, say,
    session::{End, Session, Work},
    start,
};

/// Transfers of each kind, at most, of which one has to end.
const TRIES: usize = 3;

#[test]
fn a_transfer_at_full_speed_ends() {
    if !ability::hospital() {
        return;
    }
    let hospital = hospital("reset-bulk");
    let mut rounds = 0..;
    // At first as fast as it goes; then so late that most of what the resets were for is past. Where the
    // numbers run away from the resets for once, as on a busy machine, they are sent for the next transfer.
    for delay in [0, 2, 20, 100] {
        let detour = (delay > 0).then(|| Detour::build(&hospital, Duration::from_millis(delay)));
        let response = if delay > 0 { LATE[0] } else { RESPONSE };
        let what = format!("resets {delay} ms late");
        let (report, ends) = rounds
            .by_ref()
            .take(TRIES)
            .find_map(|round| bulk(&hospital, round, response, &what))
            .unwrap_or_else(|| panic!("{what}: none of {TRIES} transfers ended"));
        assert!(ends.iter().all(|end| end.error.is_some()), "{ends:?}");
        assert_eq!(report.state, ResetState::Ended);
        if let Some(detour) = detour {
            detour.remove(&hospital);
        }
    }
}

/// A transfer that runs.
fn open(hospital: &Hospital, round: usize) -> Session {
    let (from, to) = (hospital.host(Role::Modality), hospital.host(Role::Pacs));
    let port = 5_000 + u16::try_from(round).unwrap();
    let server = SocketAddr::new(Role::Pacs.address().into(), port);
    let bulk = Session::open(from, to, server, Work::Bulk);
    wait_for("some MB", LIMIT, || {
        (bulk.count() > 20_000_000).then_some(())
    })
    .unwrap();
    bulk
}

/// The sender's host throws resets away, so only its peer can end the transfer, whose numbers run on
/// while resets are on their way: mostly that succeeds, less on a busy machine.
#[test]
fn a_sender_that_ignores_resets_loses_its_peer() {
    const ROUNDS: usize = 8;
    if !ability::hospital() {
        return;
    }
    let hospital = hospital("reset-deaf");
    let sender = hospital.host(Role::Modality);
    // Another interface's Ethernet address is in them, so the far end drops what is sent there.
    sender
        .ip(&[
            "link", "add", "sink0", "type", "veth", "peer", "name", "sink1",
        ])
        .unwrap();
    for name in ["sink0", "sink1"] {
        sender.ip(&["link", "set", name, "up"]).unwrap();
    }
    sender
        .tc(&["qdisc", "add", "dev", "eth0", "clsact"])
        .unwrap();
    let filter = "filter add dev eth0 ingress protocol ip u32 match u8 0x04 0x04 at 33 \
                  action mirred egress redirect dev sink0";
    sender
        .tc(&filter.split_whitespace().collect::<Vec<_>>())
        .unwrap();
    let mut over = 0;
    for round in 0..ROUNDS {
        let bulk = open(&hospital, round);
        let begun = Instant::now();
        let handle = start(&hospital, RESPONSE, bulk.client, bulk.server);
        // The sender is not told, so the threads are left to the end of the hospital.
        let ended = wait_for("the receiver's end", Duration::from_secs(4), || {
            bulk.is_over()[1].then_some(())
        });
        let report = handle.stop();
        println!(
            "receiver over: {} after {:?}; {} resets to it, {} to the sender",
            ended.is_ok(),
            begun.elapsed(),
            report.sent_to_b,
            report.sent_to_a,
        );
        assert!(report.sent() <= 64, "{report:?}");
        over += usize::from(ended.is_ok());
    }
    println!("{over} of {ROUNDS} transfers ended at the receiver");
    assert!(over * 4 >= ROUNDS, "{over}");
}

/// What ended a transfer; none if it went on.
fn bulk(
    hospital: &Hospital,
    round: usize,
    response: &str,
    what: &str,
) -> Option<(ResetReport, [End; 2])> {
    let bulk = open(hospital, round);
    let begun = Instant::now();
    let handle = start(hospital, response, bulk.client, bulk.server);
    if let Err(error) = bulk.comes_to_its_end() {
        println!("{what}: {error}; {:?}", handle.stop());
        bulk.abandon();
        return None;
    }
    let report = final_report(handle);
    let ends = bulk.finish();
    let after = [0, 1].map(|end: usize| ends[end].at - begun);
    say(what, after, &report);
    Some((report, ends))
}
