mod random;
mod wire;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pnet::util::MacAddr;
use sensor_facts::target::{Target, Transport};

use self::wire::{Copied, FAMILIES, Filter, MARK, OWN, TAGS, WALL, builder, flow, read_back};
use super::{
    Limits, ResetError, ResetOptions, ResetReport, ResetState, Vlan, check,
    flow::{End, Flow},
    frame::{Builder, Reset},
    plan::Plan,
    segment::{Segment, Tags},
};

#[test]
fn a_reset_is_read_back_as_it_was_meant() {
    for family in FAMILIES {
        let flow = flow(family);
        for depth in 0..=2 {
            let mut tags = Tags::default();
            for tag in &TAGS[..depth] {
                assert!(tags.push(*tag));
            }
            for (to, acknowledged) in [(End::A, Some(77)), (End::B, None)] {
                let reset = Reset {
                    to,
                    mac: MacAddr::new(2, 0, 0, 0, 0, 1),
                    tags,
                    sequence: 0xffff_fff0,
                    acknowledged,
                };
                let frame = builder(flow).frame(&reset).unwrap();
                let (receiver, sender) = (flow.end(to), flow.end(to.other()));
                assert_eq!(
                    read_back(&frame),
                    (
                        sender,
                        receiver,
                        0xffff_fff0,
                        acknowledged.unwrap_or(0),
                        true,
                        acknowledged.is_some()
                    )
                );
                assert_eq!(frame[..6], [2, 0, 0, 0, 0, 1]);
                assert_eq!(frame[6..12], OWN, "no switch learns a device here");
                // Back over the mirror it is our own.
                let copy = Segment::read(&frame, None, &flow).unwrap();
                assert_eq!((copy.tags, copy.window), (tags, MARK));
                let stripped = Builder {
                    tagged: false,
                    ..builder(flow)
                };
                let frame = stripped.frame(&reset).unwrap();
                let copy = Segment::read(&frame, None, &flow).unwrap();
                assert_eq!(copy.tags, Tags::default());
                read_back(&frame);
            }
        }
    }
}

/// Resets that are due now, as receiver, sequence number and acknowledgement.
fn take(plan: &mut Plan, now: Instant) -> Vec<(End, u32, Option<u32>)> {
    let mut all = Vec::new();
    while let Some(reset) = plan.next(now) {
        plan.sent(&reset, now);
        all.push((reset.to, reset.sequence, reset.acknowledged));
    }
    all.sort_by_key(|(to, sequence, _)| (*to == End::B, *sequence));
    all
}

#[test]
fn each_end_gets_what_it_expects_next() {
    for family in FAMILIES {
        let flow = flow(family);
        let copied = Copied::new(flow.a(), flow.b());
        // Flags, payload, what A is sent, what B is sent.
        let cases = [
            ("S", 0, (0, Some(1_001)), (1_001, None)),
            ("SA", 0, (9_000, Some(1_001)), (1_001, Some(9_000))),
            ("A", 0, (9_000, Some(1_000)), (1_000, Some(9_000))),
            ("A", 100, (9_000, Some(1_100)), (1_100, Some(9_000))),
            ("FA", 100, (9_000, Some(1_101)), (1_101, Some(9_000))),
        ];
        for (flags, payload, to_a, to_b) in cases {
            let now = Instant::now();
            let mut plan = Plan::new(Limits::default(), MARK, now);
            let copied = Copied {
                flags,
                payload,
                ..copied.clone()
            };
            plan.see(&copied.segment(&flow), now, WALL);
            assert_eq!(
                take(&mut plan, now),
                [(End::A, to_a.0, to_a.1), (End::B, to_b.0, to_b.1)],
                "{flags} {payload}"
            );
            let report = plan.report();
            assert_eq!((report.sent_to_a, report.sent_to_b), (1, 1));
            assert_eq!(report.state, ResetState::Sent);
        }
    }
}

#[test]
fn of_a_burst_the_newest_is_answered_and_what_the_other_end_states() {
    let flow = flow(FAMILIES[0]);
    let now = Instant::now();
    let mut plan = Plan::new(Limits::default(), MARK, now);
    // Over the end of the number space.
    for number in 0..10_u32 {
        let data = Copied {
            sequence: 0xffff_f000_u32.wrapping_add(number * 1_000),
            payload: 1_000,
            ..Copied::new(flow.a(), flow.b())
        };
        plan.see(&data.segment(&flow), now, WALL);
    }
    let behind = Copied {
        sequence: 9_000,
        acknowledged: 0xffff_f000,
        ..Copied::new(flow.b(), flow.a())
    };
    plan.see(&behind.segment(&flow), now, WALL);
    let end = 0xffff_f000_u32.wrapping_add(10_000);
    assert_eq!(
        take(&mut plan, now),
        [
            (End::A, 9_000, Some(end)),
            (End::B, end, Some(9_000)),
            (End::B, 0xffff_f000, Some(9_000)),
        ]
    );
    // The next round has to wait; then it is the challenge that is answered.
    let challenge = Copied {
        acknowledged: 4_000,
        ..behind
    };
    plan.see(&challenge.segment(&flow), now, WALL);
    assert_eq!(take(&mut plan, now), []);
    let later = now + Duration::from_millis(1);
    assert_eq!(
        take(&mut plan, later),
        [(End::A, 9_000, Some(4_000)), (End::B, 4_000, Some(9_000)),]
    );
}

#[test]
fn a_transfer_that_does_not_mind_is_overtaken() {
    let flow = flow(FAMILIES[0]);
    let mut now = Instant::now();
    let mut plan = Plan::new(Limits::default(), MARK, now);
    let mut sequence = 0xffff_f000_u32;
    for round in 0..5 {
        sequence = sequence.wrapping_add(1_448);
        let data = Copied {
            sequence,
            payload: 1_448,
            ..Copied::new(flow.a(), flow.b())
        };
        now += Duration::from_millis(100);
        plan.see(&data.segment(&flow), now, WALL);
        let next = (1_u32..).map(|step| sequence.wrapping_add(step * 1_448));
        let mut sent: Vec<_> = take(&mut plan, now)
            .into_iter()
            .filter_map(|(to, sequence, _)| (to == End::B).then_some(sequence))
            .collect();
        let mut expected: Vec<_> = next.take(if round < 4 { 1 } else { 13 }).collect();
        sent.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sent, expected, "round {round}");
    }
}

#[test]
fn resets_are_not_answered_and_end_the_work() {
    let flow = flow(FAMILIES[0]);
    let now = Instant::now();
    let mut plan = Plan::new(Limits::default(), MARK, now);
    let data = Copied {
        payload: 10,
        ..Copied::new(flow.a(), flow.b())
    };
    plan.see(&data.segment(&flow), now, WALL);
    let reset = plan.next(now).unwrap();
    plan.sent(&reset, now);
    let frame = builder(flow).frame(&reset).unwrap();
    take(&mut plan, now);
    plan.see(&Segment::read(&frame, None, &flow).unwrap(), now, WALL);
    let report = plan.report();
    assert_eq!((report.own_seen, report.packets_seen), (1, 1));
    assert!(!report.closed);
    assert_eq!(take(&mut plan, now + Duration::from_secs(1)), []);
    let theirs = Copied {
        flags: "R",
        ..Copied::new(flow.b(), flow.a())
    };
    plan.see(&theirs.segment(&flow), now, WALL);
    assert_eq!(take(&mut plan, now + Duration::from_secs(1)), []);
    assert!(plan.report().closed);
    assert_eq!(plan.end(now + Duration::from_millis(1_999)), None);
    assert_eq!(
        plan.end(now + Duration::from_secs(2)),
        Some(ResetState::Ended)
    );
}

#[test]
fn a_second_copy_is_counted_and_not_answered() {
    let flow = flow(FAMILIES[0]);
    let now = Instant::now();
    let mut plan = Plan::new(Limits::default(), MARK, now);
    let segment = Copied::new(flow.a(), flow.b()).segment(&flow);
    plan.see(&segment, now, WALL);
    assert_eq!(take(&mut plan, now).len(), 2);
    plan.see(&segment, now + Duration::from_millis(2), WALL);
    assert_eq!(take(&mut plan, now + Duration::from_millis(4)), []);
    assert_eq!(plan.report().packets_seen, 2);
    // A retransmission is no copy.
    plan.see(&segment, now + Duration::from_millis(200), WALL);
    assert_eq!(take(&mut plan, now + Duration::from_millis(200)).len(), 2);
}

#[test]
fn the_work_ends() {
    let flow = flow(FAMILIES[0]);
    let now = Instant::now();
    let seconds = |count| now + Duration::from_secs(count);
    let limits = Limits {
        packets: 2,
        lifetime: Duration::from_mins(1),
        ..Limits::default()
    };
    let segment = Copied::new(flow.a(), flow.b()).segment(&flow);

    let mut plan = Plan::new(limits, MARK, now);
    assert_eq!(plan.end(seconds(59)), None, "nothing seen: it watches on");
    assert_eq!(plan.wake(), seconds(60));
    assert_eq!(plan.end(seconds(60)), Some(ResetState::Expired));
    assert_eq!(plan.report(), ResetReport::default());

    plan.see(&segment, seconds(30), WALL);
    assert_eq!(take(&mut plan, seconds(30)).len(), 2);
    assert_eq!(plan.end(seconds(39)), None);
    assert_eq!(plan.wake(), seconds(40));
    assert_eq!(plan.end(seconds(40)), Some(ResetState::Ended));

    plan.see(&segment, seconds(35), WALL);
    assert_eq!(take(&mut plan, seconds(35)), []);
    assert_eq!(plan.end(seconds(35)), Some(ResetState::Exhausted));

    let mut plan = Plan::new(limits, MARK, now);
    for (from, to) in [(flow.a(), flow.b()), (flow.b(), flow.a())] {
        let close = Copied {
            flags: "FA",
            ..Copied::new(from, to)
        };
        plan.see(&close.segment(&flow), now, WALL);
    }
    assert_eq!(plan.end(seconds(2)), Some(ResetState::Ended));
}

#[test]
fn what_is_no_tcp_connection_is_refused() {
    let end = |text: &str| text.parse::<SocketAddr>().unwrap();
    let (a, b) = (end("10.0.0.1:1000"), end("10.0.0.2:22"));
    for transport in [Transport::Udp, Transport::Sctp] {
        let error = Flow::new(transport, a, b).unwrap_err();
        assert!(matches!(error, ResetError::NotTcp { .. }));
        let target = Target::Flow { transport, a, b };
        assert!(Flow::of(&target).is_err());
    }
    let device = Target::Device { address: a.ip() };
    let error = Flow::of(&device).unwrap_err();
    assert!(matches!(error, ResetError::NoFlow { .. }), "{error}");
    for other in ["[fd00::1]:22", "10.0.0.1:22", "10.0.0.2:0", "224.0.0.1:5"] {
        let error = Flow::new(Transport::Tcp, a, end(other)).unwrap_err();
        assert!(matches!(error, ResetError::NoConnection { .. }), "{other}");
    }
    let mapped = Flow::new(Transport::Tcp, end("[::ffff:10.0.0.1]:1000"), b);
    assert_eq!(mapped.unwrap(), Flow::new(Transport::Tcp, a, b).unwrap());
}

#[test]
fn nothing_starts_that_must_not() {
    let options = ResetOptions {
        mirrors: vec!["mirror0".to_owned()],
        response: "response0".to_owned(),
        flow: flow(FAMILIES[0]),
        limits: Limits::default(),
        vlan: Vlan::Keep,
    };
    assert!(check(&options, |_| false).is_ok());
    for end in [options.flow.a(), options.flow.b()] {
        let error = check(&options, |address| address == end.ip()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{} is protected: its connections are not reset", end.ip())
        );
    }
    let mut same = options.clone();
    same.response = "mirror0".to_owned();
    let error = check(&same, |_| false).unwrap_err();
    assert!(matches!(error, ResetError::ResponseIsMirror { .. }));
    let mut blind = options.clone();
    blind.mirrors.clear();
    let error = check(&blind, |_| false).unwrap_err();
    assert!(matches!(error, ResetError::NoMirror));
    let mut mute = options;
    mute.limits.per_second = 0;
    let error = check(&mute, |_| false).unwrap_err();
    assert!(matches!(error, ResetError::ZeroLimit { .. }));
}

#[test]
fn fragments_and_tunnels_are_not_the_flow() {
    let flow = flow(FAMILIES[0]);
    let frame = Copied::new(flow.a(), flow.b()).frame();
    assert!(Segment::read(&frame, None, &flow).is_some());
    for flags in [[0x20, 0], [0, 1], [0x20, 1]] {
        let mut fragment = frame.clone();
        fragment[20..22].copy_from_slice(&flags);
        assert_eq!(Segment::read(&fragment, None, &flow), None);
    }
    // Inside of IPIP, between the same hosts.
    let mut tunnel = frame.clone();
    tunnel.splice(14..14, frame[14..34].to_vec());
    tunnel[23] = 4;
    assert_eq!(Segment::read(&tunnel, None, &flow), None);
    // A third tag.
    let mut tagged = frame;
    tagged.splice(12..12, [0x81, 0, 0, 5, 0x81, 0, 0, 6]);
    assert!(Segment::read(&tagged, None, &flow).is_some());
    assert_eq!(Segment::read(&tagged, Some(TAGS[0]), &flow), None);
}

#[test]
fn ipv6_extension_headers_are_skipped() {
    let flow = flow(FAMILIES[1]);
    let data = Copied {
        payload: 100,
        ..Copied::new(flow.a(), flow.b())
    };
    let mut frame = data.frame();
    // Destination options of 8 bytes: PadN.
    frame.splice(54..54, [6, 0, 1, 4, 0, 0, 0, 0]);
    frame[20] = 60;
    frame[19] += 8;
    assert_eq!(
        Segment::read(&frame, None, &flow),
        Some(data.segment(&flow))
    );
    let filter = Filter::new(&flow);
    assert!(filter.lets_in(&frame));
}
