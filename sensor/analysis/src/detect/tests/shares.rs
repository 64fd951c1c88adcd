//! What is done at file shares.

use sensor_common::packet::protocol;

use super::{Lab, as_it_is, host, set_to};

/// A connection to a share: messages of the client, bytes written and read.
fn share(lab: &mut Lab, client: u8, messages: u32, written: u64, read: u64) {
    lab.flow(protocol::TCP, host(client), (host(1), 445), |facts| {
        facts.to_server.push = messages;
        (facts.to_server.payload, facts.to_server.bytes) = (written, written);
        (facts.to_client.payload, facts.to_client.bytes) = (read, read);
    });
}

#[test]
fn many_files_that_are_read_and_written_back_are_ransomware() {
    let set = |detect: &mut _| set_to(detect, "share_bytes", 1_000_000_000_u64);
    let mut lab = Lab::learnt("share_rewrite", set, |lab| {
        share(lab, 7, 400, 2_000_000, 2_000_000);
        (8..=13).for_each(|client| share(lab, client, 20, 10_000, 300_000));
    });
    share(&mut lab, 7, 400, 2_000_000, 2_000_000);
    (0..9).for_each(|_| share(&mut lab, 8, 40, 300_000, 300_000));
    share(&mut lab, 9, 400, 20_000_000, 20_000_000);
    share(&mut lab, 10, 400, 10_000, 4_000_000);
    share(&mut lab, 11, 400, 100_000, 100_000);
    lab.is_quiet("who always did, much work, large files, a folder that is read, small files");
    // A Python client of SMB: 30 files of 60 kB in one connection.
    share(&mut lab, 12, 342, 1_900_000, 1_900_000);
    assert_eq!(lab.finds(host(12)).technique, "T1486");
    // smbclient: it fetches them, and puts others in their place.
    share(&mut lab, 13, 132, 20_000, 1_900_000);
    lab.is_quiet("it only reads");
    share(&mut lab, 13, 281, 1_900_000, 40_000);
    let finding = lab.finds(host(13));
    assert!(
        finding.evidence.contains("413 messages"),
        "{}",
        finding.evidence
    );
}

#[test]
fn a_newcomer_that_reads_many_files_is_found_unless_others_do() {
    let routine = |lab: &mut Lab| share(lab, 8, 20, 10_000, 300_000);
    let mut lab = Lab::learnt("share_rewrite", as_it_is, routine);
    share(&mut lab, 65, 100, 10_000, 50_000_000);
    lab.is_quiet("a large file");
    share(&mut lab, 66, 300, 35_000, 6_700_000);
    let finding = lab.finds(host(66));
    assert!(finding.technique == "T1039" && finding.confidence >= 0.6);
    let mut lab = Lab::learnt("share_rewrite", as_it_is, |lab| {
        share(lab, 8, 300, 35_000, 6_700_000);
    });
    share(&mut lab, 66, 300, 35_000, 6_700_000);
    assert!(
        lab.finds(host(66)).confidence < 0.5,
        "profiles are fetched so"
    );
}

#[test]
fn sessions_that_end_when_the_password_was_told_are_refused() {
    let set = |detect: &mut _| set_to(detect, "smb_refused", 3_u32);
    let session = |lab: &mut Lab, client: u8, messages: u32| {
        lab.flow(protocol::TCP, host(client), (host(1), 445), |facts| {
            (facts.to_server.push, facts.to_client.push) = (messages, messages);
        });
    };
    let mut lab = Lab::learnt("brute_force", set, |lab| session(lab, 9, 20));
    for _ in 0..4 {
        session(&mut lab, 9, 4);
        session(&mut lab, 8, 20);
        lab.wait(30);
    }
    lab.is_quiet("who uses the share, and sessions in which something is done");
    (0..3).for_each(|_| session(&mut lab, 66, 4));
    assert!(
        lab.finds(host(66)).confidence <= 0.5,
        "a person may have mistyped"
    );
}

#[test]
fn communities_that_are_guessed_from_several_ports_are_counted_together() {
    let mut lab = Lab::new("brute_force", |detect| {
        set_to(detect, "snmp_guesses", 30_u32);
    });
    let ask = |lab: &mut Lab| {
        lab.flow(protocol::UDP, host(66), (host(1), 161), |facts| {
            (facts.to_server.packets, facts.to_client.packets) = (10, 0);
        });
    };
    (0..2).for_each(|_| ask(&mut lab));
    lab.is_quiet("twenty");
    ask(&mut lab);
    lab.finds(host(66));
}
