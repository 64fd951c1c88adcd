mod random;

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    time::{Duration, Instant},
};

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use pnet::util::MacAddr;

use super::{
    Limits, ResetError, ResetReport, ResetState, filter,
    flow::{End, Flow},
    frame::{Builder, Reset},
    plan::Plan,
    segment::{Segment, Tag, Tags},
};
use crate::{
    event::Time,
    response::target::{Target, Transport},
};

const FAMILIES: [(&str, &str); 2] = [
    ("10.77.1.20:40000", "10.77.1.10:11112"),
    ("[fd77::20]:40000", "[fd77::10]:11112"),
];
const OWN: [u8; 6] = [2, 0, 0, 0, 0, 0xee];
const MARK: u16 = 4711;
const TAGS: [Tag; 2] = [
    Tag {
        kind: 0x88a8,
        control: 0x2064,
    },
    Tag {
        kind: 0x8100,
        control: 0x00c8,
    },
];
const WALL: Time = Time(0);

fn flow(family: (&str, &str)) -> Flow {
    let end = |text: &str| text.parse().unwrap();
    Flow::new(Transport::Tcp, end(family.0), end(family.1)).unwrap()
}

fn builder(flow: Flow) -> Builder {
    Builder {
        flow,
        mac: OWN.into(),
        mark: MARK,
        tagged: true,
    }
}

/// A frame on the wire. Flags are the first letters of the names.
#[derive(Clone, Debug)]
struct Copied {
    from: SocketAddr,
    to: SocketAddr,
    sequence: u32,
    acknowledged: u32,
    flags: &'static str,
    payload: usize,
    udp: bool,
    tags: Vec<Tag>,
}

impl Copied {
    fn new(from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            from,
            to,
            sequence: 1_000,
            acknowledged: 9_000,
            flags: "A",
            payload: 0,
            udp: false,
            tags: Vec::new(),
        }
    }

    fn frame(&self) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let network = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => link.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => link.ipv6(from.octets(), to.octets(), 64),
            _ => unreachable!(),
        };
        let payload = vec![7; self.payload];
        let mut frame = Vec::new();
        if self.udp {
            let packet = network.udp(self.from.port(), self.to.port());
            packet.write(&mut frame, &payload).unwrap();
        } else {
            let mut packet = network.tcp(self.from.port(), self.to.port(), self.sequence, 512);
            for flag in self.flags.chars() {
                packet = match flag {
                    'S' => packet.syn(),
                    'F' => packet.fin(),
                    'R' => packet.rst(),
                    'A' => packet.ack(self.acknowledged),
                    other => panic!("{other}"),
                };
            }
            packet.write(&mut frame, &payload).unwrap();
        }
        let tags = self.tags.iter().flat_map(|tag| {
            let [a, b] = tag.kind.to_be_bytes();
            let [c, d] = tag.control.to_be_bytes();
            [a, b, c, d]
        });
        frame.splice(12..12, tags);
        frame
    }

    fn segment(&self, flow: &Flow) -> Segment {
        Segment::read(&self.frame(), None, flow).unwrap()
    }
}

/// What a frame is: source, destination, sequence, acknowledgement, flags RST and ACK. Checksums are
/// checked.
fn read_back(frame: &[u8]) -> (SocketAddr, SocketAddr, u32, u32, bool, bool) {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
        panic!("{packet:?}");
    };
    let (from, to): (IpAddr, IpAddr) = match packet.net.as_ref().unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            let computed = header.to_header().calc_header_checksum();
            assert_eq!(header.header_checksum(), computed);
            let (from, to) = (header.source(), header.destination());
            assert_eq!(
                tcp.checksum(),
                tcp.calc_checksum_ipv4(from, to).unwrap(),
                "TCP checksum"
            );
            (from.into(), to.into())
        }
        NetSlice::Ipv6(ip) => {
            let (from, to) = (ip.header().source(), ip.header().destination());
            assert_eq!(
                tcp.checksum(),
                tcp.calc_checksum_ipv6(from, to).unwrap(),
                "TCP checksum"
            );
            (from.into(), to.into())
        }
        NetSlice::Arp(_) => panic!("ARP"),
    };
    assert!(tcp.payload().is_empty() && !tcp.syn() && !tcp.fin());
    (
        SocketAddr::new(from, tcp.source_port()),
        SocketAddr::new(to, tcp.destination_port()),
        tcp.sequence_number(),
        tcp.acknowledgment_number(),
        tcp.rst(),
        tcp.ack(),
    )
}

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

/// The filter as the kernel runs it, at a socket that needs no rights.
struct Filter {
    from: UnixDatagram,
    to: UnixDatagram,
}

impl Filter {
    fn new(flow: &Flow) -> Self {
        let (from, to) = UnixDatagram::pair().unwrap();
        let to = OwnedFd::from(to);
        filter::attach(&to, flow).unwrap();
        let to = UnixDatagram::from(to);
        to.set_nonblocking(true).unwrap();
        Self { from, to }
    }

    fn lets_in(&self, frame: &[u8]) -> bool {
        self.from.send(frame).unwrap();
        match self.to.recv(&mut [0; 4096]) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                false
            }
        }
    }
}
