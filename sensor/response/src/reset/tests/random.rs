use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use proptest::prelude::*;
use sensor_facts::target::Transport;

use super::wire::{Copied, FAMILIES, Filter, MARK, TAGS, WALL, builder, flow, read_back};
use crate::reset::{Flow, Limits, plan::Plan, segment::Segment};

/// Ends that are alike: few addresses and ports, so that a flow's packets are among them.
fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let end = (0_u8..3, 0_u16..3);
    (any::<bool>(), end.clone(), end).prop_map(|(four, a, b)| {
        let end = |(host, port): (u8, u16)| {
            let address: IpAddr = if four {
                [10, 0, 0, host].into()
            } else {
                [0xfd00, 0, 0, 0, 0, 0, 0, u16::from(host)].into()
            };
            SocketAddr::new(address, 1_000 + port)
        };
        (end(a), end(b))
    })
}

fn copied() -> impl Strategy<Value = Copied> {
    let flags = prop::sample::select(vec!["S", "SA", "A", "FA", "R", "RA", ""]);
    let rest = (any::<u32>(), any::<u32>(), flags, 0_usize..300);
    let tags = prop::collection::vec(prop::sample::select(TAGS.to_vec()), 0..4);
    let udp = prop::bool::weighted(0.1);
    (ends(), rest, tags, udp).prop_map(|((from, to), rest, tags, udp)| {
        let (sequence, acknowledged, flags, payload) = rest;
        Copied {
            from,
            to,
            sequence,
            acknowledged,
            flags,
            payload,
            udp,
            tags,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever goes by, resets go out for the flow's packets only, and to the flow only.
    #[test]
    fn no_other_flow_is_touched(
        (a, b) in ends(),
        packets in prop::collection::vec(copied(), 1..30),
        noise in prop::collection::vec((0_usize..80, any::<u8>()), 0..3),
    ) {
        let Ok(flow) = Flow::new(Transport::Tcp, a, b) else { return Ok(()) };
        let filter = Filter::new(&flow);
        let mut now = Instant::now();
        let mut plan = Plan::new(Limits::default(), MARK, now);
        for packet in packets {
            now += Duration::from_millis(50);
            let ends = (packet.from, packet.to);
            let ours = !packet.udp
                && packet.tags.len() <= 2
                && (ends == (a, b) || ends == (b, a));
            let mut frame = packet.frame();
            let segment = Segment::read(&frame, None, &flow);
            prop_assert_eq!(segment.is_some(), ours, "{:?}", packet);
            prop_assert_eq!(filter.lets_in(&frame), ours, "{:?}", packet);
            if let Some(segment) = segment {
                plan.see(&segment, now, WALL);
            }
            while let Some(reset) = plan.next(now) {
                prop_assert!(ours && !packet.flags.contains('R'));
                let sent = builder(flow).frame(&reset).unwrap();
                let (from, to, .., rst, _) = read_back(&sent);
                prop_assert!(rst);
                prop_assert!((from, to) == (a, b) || (from, to) == (b, a));
                plan.sent(&reset, now);
            }
            // Damaged, it does no harm; and what the filter keeps away would not have been read.
            for (at, byte) in &noise {
                if let Some(place) = frame.get_mut(*at) {
                    *place = *byte;
                }
            }
            if Segment::read(&frame, None, &flow).is_some() {
                prop_assert!(filter.lets_in(&frame));
            }
        }
    }

    /// Never more than the limits allow, whatever comes.
    #[test]
    fn limits_hold(
        packets in 1_u32..100,
        per_second in 1_u32..30,
        arrivals in prop::collection::vec((0_u64..300, any::<u32>(), any::<bool>()), 1..200),
    ) {
        let flow = flow(FAMILIES[0]);
        let limits = Limits { packets, per_second, ..Limits::default() };
        let mut now = Instant::now();
        let mut plan = Plan::new(limits, MARK, now);
        let mut sent = Vec::new();
        for (gap, sequence, forth) in arrivals {
            now += Duration::from_millis(gap);
            let (from, to) = if forth { (flow.a(), flow.b()) } else { (flow.b(), flow.a()) };
            let packet = Copied { sequence, ..Copied::new(from, to) };
            plan.see(&packet.segment(&flow), now, WALL);
            while let Some(reset) = plan.next(now) {
                plan.sent(&reset, now);
                sent.push(now);
            }
            if plan.end(now).is_none() {
                prop_assert!(plan.wake() > now, "it would not sleep");
            }
        }
        prop_assert!(sent.len() <= packets as usize);
        prop_assert_eq!(plan.report().sent(), sent.len() as u64);
        for window in sent.windows(per_second as usize + 1) {
            let [first, .., last] = window else { continue };
            prop_assert!(*last - *first >= Duration::from_secs(1));
        }
    }
}
