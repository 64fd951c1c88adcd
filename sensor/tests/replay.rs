//! `wardtap replay` as a user meets it: all formats and link types say the same, and bad input is named.

mod command;
mod recording;

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use command::{BINARY, Done, Folder, wardtap};
use recording::{
    BEGIN, Order, STEP, conversation, enhanced, framed, interface, modified, obsolete, pcap,
    refusals, section,
};
use serde_json::Value;

/// Runs `wardtap replay` on a file of these bytes.
fn replay(bytes: &[u8], more: &[&str]) -> io::Result<Done> {
    let folder = Folder::new()?;
    let path = folder.path().join("capture");
    fs::write(&path, bytes)?;
    let path = path.to_string_lossy().into_owned();
    wardtap(&[&["replay", &path], more].concat())
}

/// Captured packets of a link type.
fn captured(link: u32) -> Vec<(u64, Vec<u8>)> {
    let framed = |(time, packet): (u64, Vec<u8>)| (time, framed(link, &packet));
    conversation().into_iter().map(framed).collect()
}

fn events(done: &Done) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_default();
    done.out.lines().map(parse).collect()
}

fn stats(done: &Done) -> Value {
    let all = events(done);
    let last = all.last().cloned().unwrap_or_default();
    assert_eq!(last["event_type"], "stats", "{done:?}");
    last["stats"].clone()
}

/// Demands that the conversation was read.
fn is_the_conversation(done: &Done, of: &str) {
    assert_eq!(done.code, Some(0), "{of}: {done:?}");
    assert_eq!(done.error, "", "{of}");
    let all = events(done);
    let times: Vec<_> = all
        .iter()
        .filter(|event| event["hl7"]["type"] == "message")
        .map(|event| event["timestamp"].clone())
        .collect();
    assert_eq!(
        times,
        ["2026-01-05T10:00:00.123456Z", "2026-01-05T10:00:00.124456Z"],
        "{of}"
    );
    let flow = all.iter().find(|event| event["event_type"] == "flow");
    let flow = flow.cloned().unwrap_or_default();
    assert_eq!(flow["src_ip"], "10.1.0.1", "{of}");
    assert_eq!(flow["flow"]["app_proto"], "hl7", "{of}");
    assert_eq!(flow["flow"]["duration_ns"], STEP, "{of}");
    assert_eq!(stats(done)["packets"], 2, "{of}");
    assert_eq!(stats(done)["in_flow"], 2, "{of}");
}

#[test]
fn every_format_and_link_type_says_the_same() -> io::Result<()> {
    for order in [Order::Little, Order::Big] {
        for link in [
            0, 1, 6, 7, 9, 10, 11, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 119, 127, 138,
            163, 166, 192, 204, 228, 239, 276,
        ] {
            let packets = captured(link);
            for nanoseconds in [false, true] {
                let file = pcap(order, nanoseconds, link, &packets);
                let of = format!("pcap, {order:?}, nanoseconds {nanoseconds}, link type {link}");
                is_the_conversation(&replay(&file, &["--json"])?, &of);
            }
            let file = modified(order, link, &packets);
            let of = format!("modified pcap, {order:?}, link type {link}");
            is_the_conversation(&replay(&file, &["--json"])?, &of);
            // Microseconds by default, nanoseconds, and the power of two that has a place for both times.
            for (resolution, ticks) in [(None, 1_000), (Some(9), 1)] {
                let link = u16::try_from(link).unwrap_or_default();
                let mut file = [section(order), interface(order, link, resolution)].concat();
                for (number, (time, packet)) in packets.iter().enumerate() {
                    file.extend(if number == 0 {
                        enhanced(order, 0, time / ticks, packet)
                    } else {
                        obsolete(order, 0, time / ticks, packet)
                    });
                }
                let of = format!("pcapng, {order:?}, resolution {resolution:?}, link type {link}");
                is_the_conversation(&replay(&file, &["--json"])?, &of);
            }
        }
    }
    Ok(())
}

#[test]
fn interfaces_of_one_file_can_differ() -> io::Result<()> {
    let order = Order::Little;
    let packets = conversation();
    let [(first, message), (second, answer)] = &packets[..] else {
        return Err(io::Error::other("two packets"));
    };
    let mut file = [
        section(order),
        interface(order, 1, None),
        // A link type of somebody's own, which is not read.
        interface(order, 147, None),
        interface(order, 101, Some(9)),
    ]
    .concat();
    file.extend(enhanced(order, 0, first / 1_000, &framed(1, message)));
    file.extend(enhanced(order, 1, first / 1_000, &[0; 40]));
    file.extend(enhanced(order, 7, first / 1_000, &[0; 40]));
    file.extend(enhanced(order, 2, *second, answer));
    let done = replay(&file, &["--json"])?;
    assert!(done.error.contains("1 packets"), "{done:?}");
    assert!(done.error.contains("link type 147"), "{done:?}");
    assert!(done.error.contains("does not describe"), "{done:?}");
    is_the_conversation(
        &Done {
            error: String::new(),
            ..done
        },
        "two interfaces",
    );
    Ok(())
}

#[test]
fn what_is_no_ip_is_counted() -> io::Result<()> {
    let sll = |protocol: [u8; 2], hardware: u8| {
        let mut packet = vec![0, 0, 0, hardware, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        packet.extend(protocol);
        packet.extend([0; 28]);
        (BEGIN, packet)
    };
    let packets = [
        sll([8, 6], 1),
        sll([0x88, 0xcc], 1),
        (BEGIN, vec![0; 15]),
        sll([8, 0], 1),
    ];
    let counted = stats(&replay(
        &pcap(Order::Big, false, 113, &packets),
        &["--json"],
    )?);
    for (name, count) in [
        ("packets", 4),
        ("arp", 1),
        ("not_ip", 1),
        ("link_truncated", 1),
        ("ip_malformed", 1),
    ] {
        assert_eq!(counted[name], count, "{name} of {counted}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_cut_is_read_up_to_there() -> io::Result<()> {
    let mut file = pcap(Order::Little, false, 101, &captured(101));
    let whole = file.len();
    let packets = captured(101);
    let last = whole - 16 - packets[1].1.len();
    file.truncate(whole - 1);
    let done = replay(&file, &["--json"])?;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.error.contains(&format!("begins at byte {last}")),
        "{done:?}"
    );
    assert_eq!(stats(&done)["packets"], 1);

    // Damage: the second packet announces more than a packet can have.
    let mut file = pcap(Order::Little, false, 101, &packets);
    file[last + 8..last + 12].copy_from_slice(&[0xff; 4]);
    let done = replay(&file, &["--json"])?;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.error.contains(&format!("byte {last}")), "{done:?}");
    assert_eq!(stats(&done)["packets"], 1);
    Ok(())
}

#[test]
fn what_can_not_be_read_is_named() -> io::Result<()> {
    let header = pcap(Order::Little, false, 101, &[]);
    let mut cut = header.clone();
    cut.extend([1, 2, 3]);
    for (bytes, words) in [
        (&b"no capture at all, but text"[..], "no capture file"),
        (&[], "no capture file"),
        (&header[..20], "no capture file"),
        (&cut, "damaged at byte 24"),
        (&pcap(Order::Big, true, 147, &captured(0)), "link type 147"),
    ] {
        let done = replay(bytes, &[])?;
        assert_eq!(done.code, Some(1), "{words}: {done:?}");
        assert_eq!(done.out, "", "{words}");
        assert!(done.error.contains(words), "{words}: {done:?}");
    }
    let done = wardtap(&["replay", "/there/is/nothing.pcap"])?;
    assert_eq!(done.code, Some(1));
    assert!(done.error.contains("/there/is/nothing.pcap"), "{done:?}");
    // A capture without a packet is one.
    assert_eq!(replay(&header, &[])?.code, Some(0));
    Ok(())
}

#[test]
fn a_pipe_may_deliver_in_pieces() -> io::Result<()> {
    let file = pcap(Order::Little, false, 101, &captured(101));
    let mut child = Command::new(BINARY)
        .args(["replay", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let writer = thread::spawn(move || {
        for piece in file.chunks(7) {
            input.write_all(piece)?;
            input.flush()?;
            // Not for a condition: so that pieces are not joined in the pipe.
            thread::sleep(Duration::from_millis(1));
        }
        Ok::<_, io::Error>(())
    });
    let done = Done::from(child.wait_with_output()?);
    assert!(writer.join().is_ok_and(|done| done.is_ok()));
    is_the_conversation(&done, "a pipe");
    Ok(())
}

#[test]
fn nobody_reads_on_is_no_error_and_a_full_disk_is_one() -> io::Result<()> {
    let folder = Folder::new()?;
    let path = folder.path().join("capture");
    fs::write(&path, pcap(Order::Little, false, 101, &captured(101)))?;
    let replay = || {
        let mut command = Command::new(BINARY);
        command
            .args(["replay", "--json", "--loop", "500"])
            .arg(&path);
        command.stderr(Stdio::piped());
        command
    };
    let mut child = replay().stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    assert!(line.contains("event_type"), "{line}");
    let mut error = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut error)?;
    }
    assert_eq!((child.wait()?.code(), error.as_str()), (Some(0), ""));

    let full = File::options().write(true).open("/dev/full")?;
    let done = Done::from(replay().stdout(full).output()?);
    assert_eq!(done.code, Some(1));
    assert!(done.error.contains("No space left"), "{done:?}");
    Ok(())
}

#[test]
fn captures_can_follow_each_other() -> io::Result<()> {
    let file = pcap(Order::Little, false, 101, &captured(101));
    let done = replay(&file, &["--json", "--loop", "3"])?;
    assert_eq!(done.error, "");
    assert_eq!(stats(&done)["packets"], 6);
    // The stream goes on where it was, so the repetitions are retransmissions of one flow.
    assert_eq!(stats(&done)["flow_created"], 1);

    let later: Vec<_> = captured(101)
        .into_iter()
        .map(|(time, packet)| (time + 60_000_000_000, packet))
        .collect();
    let folder = Folder::new()?;
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    fs::write(&one, &file)?;
    fs::write(&two, pcap(Order::Big, true, 101, &later))?;
    let (one, two) = (one.to_string_lossy(), two.to_string_lossy());
    let done = wardtap(&["replay", "--json", &one, &two])?;
    assert_eq!(
        (done.error.as_str(), &stats(&done)["packets"]),
        ("", &4.into())
    );
    let done = wardtap(&["replay", "--json", &two, &one])?;
    assert!(done.error.contains("in the order"), "{done:?}");
    Ok(())
}

#[test]
fn a_person_gets_tables() -> io::Result<()> {
    let file = pcap(Order::Little, false, 101, &captured(101));
    let done = replay(&file, &["--stats", "--section", "all"])?;
    assert_eq!((done.code, done.error.as_str()), (Some(0), ""));
    for words in [
        "packets  2,",
        "HL7      1 sessions, 2 messages, 1 acknowledgements (0 negative)",
        "in_flow",
        "LAB@WARD3",
        "10.1.0.1:50000",
        "1× ORU^R01",
        "packets/s; peak memory",
    ] {
        assert!(done.out.contains(words), "no {words:?} in {}", done.out);
    }
    let short = replay(&file, &["--summary"])?;
    assert!(!short.out.contains("LAB@WARD3"), "{}", short.out);
    Ok(())
}

/// What is suspicious in a capture is among the events, at its place, and is explained to people.
#[test]
fn a_scan_in_a_capture_is_found_and_explained() -> io::Result<()> {
    let file = pcap(Order::Little, true, 101, &refusals(30));
    let done = replay(&file, &["--json"])?;
    assert_eq!((done.code, done.error.as_str()), (Some(0), ""));
    let all = events(&done);
    let at = |kind: &str| all.iter().position(|event| event["event_type"] == kind);
    let (finding, alert, last) = (at("finding"), at("alert"), at("stats"));
    assert!(
        finding.is_some() && finding < alert && alert < last,
        "{done:?}"
    );
    let [finding, alert] = [finding, alert].map(|at| &all[at.unwrap_or_default()]);
    assert_eq!(finding["finding"]["detector"], "scan");
    assert_eq!(finding["timestamp"], finding["finding"]["time"]);
    assert_eq!(alert["alert"]["change"], "opened");
    assert_eq!(alert["alert"]["device"], "10.1.0.66");
    assert!(alert["alert"]["containment"]["action"].is_string());

    let brief = replay(&file, &[])?;
    for part in [
        "Findings: 1 scan",
        "Alerts",
        "10.1.0.66",
        "Sections: --section",
    ] {
        assert!(brief.out.contains(part), "no {part:?} in {}", brief.out);
    }
    assert!(!brief.out.contains("Evidence"), "{}", brief.out);
    let done = replay(&file, &["--section", "alerts"])?;
    for part in [
        "Findings: 1 scan",
        "Alerts",
        "10.1.0.66",
        "Evidence",
        "Check first",
    ] {
        assert!(done.out.contains(part), "no {part:?} in {}", done.out);
    }
    // Totals only are had faster.
    let done = replay(&file, &["--summary"])?;
    assert!(!done.out.contains("Alerts"), "{}", done.out);
    // The clock is the capture's: over the better part of a day, the same is a slow scan of many ports.
    let slow: Vec<_> = refusals(30)
        .into_iter()
        .map(|(time, packet)| (BEGIN + (time - BEGIN) * 1_000_000, packet))
        .collect();
    let done = replay(&pcap(Order::Little, true, 101, &slow), &["--json"])?;
    assert_eq!(done.code, Some(0), "{done:?}");
    let all = events(&done);
    let findings = all.iter().filter(|event| event["event_type"] == "finding");
    let evidence: Vec<String> = findings
        .map(|event| event["finding"]["evidence"].to_string())
        .collect();
    let slow = |one: &String| one.contains("different ports within") && !one.contains("within 1 s");
    assert!(
        !evidence.is_empty() && evidence.iter().all(slow),
        "{evidence:?}"
    );
    Ok(())
}
