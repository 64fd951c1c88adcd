//! What happens to a packet, from the frame to the events: the one orchestration of both platforms.

mod examine;
mod held;
mod platform;
mod send;
mod track;

pub use examine::{SUM_MAX, examine, option, sum};
pub use held::{
    HELD_BYTES, HELD_PLACES, Held, hold, nearest, owner, release, settle, settle_one, skip,
};
pub use platform::{Platform, Table};
pub use send::{flush, read, send_flow};

pub use track::{inspect_packet, take_segment, take_special};
use track::{look_up, track};

use crate::{
    bytes::Frame,
    contain::{self, Verdict},
    counter::Counter,
    cpu::Cpu,
    packet::{Layer, TCP_SPECIAL, Tunnel, protocol},
    parse::{MAX_LAYERS, Outcome, segment::Segment},
};

/// Processes the frame, which begins with `layer`: what is to become of it.
#[inline(always)]
pub fn process<H: Platform>(platform: &mut H, layer: Layer) -> Verdict {
    let now = platform.now();
    let frame = platform.frame();
    let counters = &mut platform.cpu().counters;
    counters.count(Counter::Packets);
    counters.add(Counter::Bytes, u64::from(frame.len()));
    if matches!(layer, Layer::Ethernet)
        && let Some(segment) = Segment::of(frame)
    {
        let counters = &mut platform.cpu().counters;
        counters.count(Counter::Ipv4);
        counters.count(Counter::Tcp);
        if follow(platform, &segment, now) {
            platform.cpu().counters.count(Counter::InFlow);
            return Verdict::Pass;
        }
        segment.become_packet(&mut platform.cpu().packet);
    } else {
        platform.cpu().packet.begin(layer);
        let mut outcome = if Layer::is_header(layer as u8) {
            platform.parse_headers()
        } else {
            Outcome::Next.to_code()
        };
        if outcome == Outcome::Next.to_code() {
            outcome = unwrap(platform);
        }
        if platform.cpu().packet.vlan_depth != 0 {
            platform.cpu().counters.count(Counter::Vlan);
        }
        if outcome != Outcome::Flow.to_code() {
            platform.cpu().packet.interface = platform.interface();
            return dispose(platform, outcome, now);
        }
        if platform.cpu().packet.fragment.of != 0 {
            platform.join();
        }
        classify(platform.cpu());
    }
    platform.cpu().packet.interface = platform.interface();
    let found = look_up(platform);
    let Ok(clearance) = contain::ask(platform, found.map(|(_, entry)| entry)) else {
        platform.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    };
    track(platform, found, clearance, now);
    Verdict::Pass
}

/// Parses the layers of a frame that is more than headers; then counts what could not be read.
#[inline(always)]
fn unwrap<H: Platform>(platform: &mut H) -> u32 {
    let mut outcome = Outcome::Next.to_code();
    for _ in 1..MAX_LAYERS {
        outcome = if Layer::is_header(platform.cpu().packet.layer) {
            platform.parse_headers()
        } else if Layer::is_inside(platform.cpu().packet.layer) {
            platform.parse_inside()
        } else {
            platform.parse_shim()
        };
        if outcome != Outcome::Next.to_code() {
            break;
        }
    }
    let cpu = platform.cpu();
    if outcome == Outcome::Next.to_code() {
        cpu.packet.forget_addresses();
        outcome = Outcome::Done(cpu.packet.too_deep()).to_code();
    }
    let unread = cpu.packet.unread;
    if unread != 0 {
        cpu.counters.unread.count(unread);
        if outcome == Outcome::Flow.to_code() {
            cpu.counters.count(Counter::TunnelUnread);
        }
    }
    outcome
}

/// Takes a plain segment into its flow if no rule means it and nothing follows from it; otherwise does nothing, and says
/// false.
#[inline(always)]
fn follow<H: Platform>(platform: &mut H, segment: &Segment<H::Frame>, now: u64) -> bool {
    if segment.flags() & TCP_SPECIAL != 0 {
        return false;
    }
    let Some(entry) = platform.find_fast(&segment.key) else {
        return false;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    contain::is_clear(platform, flow, segment) && flow.follow(segment, now)
}

/// Counts a packet that has no flow key, by its `outcome`, if the rules let it pass.
#[inline(always)]
fn dispose<H: Platform>(platform: &mut H, outcome: u32, now: u64) -> Verdict {
    if contain::ask(platform, None).is_err() {
        platform.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    }
    if outcome == Outcome::Done(Counter::Arp).to_code() {
        platform.notice(now);
    }
    let first = Outcome::Done(Counter::Packets).to_code();
    for counter in Counter::DISPOSITIONS {
        if outcome == first + *counter as u32 {
            platform.cpu().counters.count(*counter);
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
    if packet.is_continuation() {
        return;
    }
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
        for (bit, counter) in Tunnel::COUNTERS.iter().enumerate() {
            if packet.tunnels >> bit & 1 != 0 {
                counters.count(*counter);
            }
        }
    }
}
