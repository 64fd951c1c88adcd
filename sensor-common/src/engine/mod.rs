//! What happens to a packet, from the frame to the events: the one orchestration of both homes.

mod home;
mod send;
mod track;

pub use home::{Home, Table};
pub use send::{flush, read, send_flow};

use track::{look_up, track};

use crate::{
    bytes::Frame,
    contain::{self, Verdict},
    counter::Counter,
    cpu::Cpu,
    packet::{Layer, TCP_FIN, TCP_RST, TCP_SYN, Tunnel, protocol},
    parse::{MAX_TUNNELS, Outcome, segment::Segment},
};

/// Processes the frame, which begins with `layer`: what is to become of it.
#[inline(always)]
pub fn process<H: Home>(home: &mut H, layer: Layer) -> Verdict {
    let now = home.now();
    let frame = home.frame();
    let counters = &mut home.cpu().counters;
    counters.count(Counter::Packets);
    counters.add(Counter::Bytes, u64::from(frame.len()));
    if matches!(layer, Layer::Ethernet)
        && let Some(segment) = Segment::of(frame)
    {
        let counters = &mut home.cpu().counters;
        counters.count(Counter::Ipv4);
        counters.count(Counter::Tcp);
        if follow(home, &segment, now) {
            home.cpu().counters.count(Counter::InFlow);
            return Verdict::Pass;
        }
        segment.become_packet(&mut home.cpu().packet);
    } else {
        home.cpu().packet.begin(layer);
        let mut outcome = Outcome::Tunnel.to_code();
        for _ in 0..=MAX_TUNNELS {
            outcome = home.parse_layer();
            if outcome != Outcome::Tunnel.to_code() {
                break;
            }
        }
        if home.cpu().packet.vlan_depth != 0 {
            home.cpu().counters.count(Counter::Vlan);
        }
        if outcome != Outcome::Flow.to_code() {
            home.cpu().packet.interface = home.interface();
            return dispose(home, outcome, now);
        }
        classify(home.cpu());
    }
    home.cpu().packet.interface = home.interface();
    let found = look_up(home);
    let Ok(clearance) = contain::ask(home, found.map(|(_, entry)| entry)) else {
        home.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    };
    track(home, found, clearance, now);
    Verdict::Pass
}

/// Takes a plain segment into its flow if no rule means it and nothing follows from it; otherwise does nothing, and says
/// false.
#[inline(always)]
fn follow<H: Home>(home: &mut H, segment: &Segment<H::Frame>, now: u64) -> bool {
    if segment.flags() & (TCP_SYN | TCP_FIN | TCP_RST) != 0 {
        return false;
    }
    let Some(entry) = home.find_fast(&segment.key) else {
        return false;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    contain::is_clear(home, flow, segment) && flow.follow(segment, now)
}

/// Counts a packet that has no flow key, by its `outcome`, if the rules let it pass.
#[inline(always)]
fn dispose<H: Home>(home: &mut H, outcome: u32, now: u64) -> Verdict {
    if contain::ask(home, None).is_err() {
        home.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    }
    if outcome == Outcome::Done(Counter::Arp).to_code() {
        home.notice(now);
    }
    let first = Outcome::Done(Counter::Packets).to_code();
    for counter in Counter::DISPOSITIONS {
        if outcome == first + *counter as u32 {
            home.cpu().counters.count(*counter);
        }
    }
    Verdict::Pass
}

/// Counts what the packet carried.
#[inline(always)]
fn classify(cpu: &mut Cpu) {
    let (packet, counters) = (&cpu.packet, &mut cpu.counters);
    counters.count(if packet.family == 4 {
        Counter::Ipv4
    } else {
        Counter::Ipv6
    });
    counters.count(match packet.protocol {
        _ if packet.is_later_fragment() => Counter::Fragment,
        protocol::TCP => Counter::Tcp,
        protocol::UDP => Counter::Udp,
        protocol::ICMP | protocol::ICMP6 => Counter::Icmp,
        _ => Counter::OtherTransport,
    });
    if packet.is_snapped() {
        counters.count(Counter::Snapped);
    }
    if packet.tunnels != 0 {
        if packet.tunnels & Tunnel::Gre as u8 != 0 {
            counters.count(Counter::TunnelGre);
        }
        if packet.tunnels & Tunnel::Erspan as u8 != 0 {
            counters.count(Counter::TunnelErspan);
        }
        if packet.tunnels & Tunnel::Vxlan as u8 != 0 {
            counters.count(Counter::TunnelVxlan);
        }
    }
}
