//! What only some packets are asked: whether their checksums are right, and what they acknowledge.
//!
//! A receiver drops a packet with a wrong checksum (RFC 791 section 3.1, RFC 9293 section 3.1, RFC 768), so one can be
//! sent to the sensor alone. It would cost too much to sum every packet; [`crate::flow::Flow::update`] says what wants it.
//! What a wrong sum says is decided by direction: [`crate::flow::Order`].

use super::platform::Platform;
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    packet::{Packet, Sum, TCP_SYN, protocol},
};

/// Bytes that [`Platform::sum`] adds at most.
pub const SUM_MAX: u32 = 2_048;
/// So often it is called for one packet: IP packets have up to 65,535 bytes.
const PIECES: u32 = 32;
/// Bytes that one round of a sum adds.
const ROUND: u32 = 64;
/// TCP options take at most 40 bytes.
const OPTIONS: u32 = 40;

/// The sum of 32-bit words as they are read, whatever the machine's order, as 16 bits (RFC 1071 section 2 B).
#[inline(always)]
const fn fold(sum: u64) -> u32 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u32
}

/// The sum of at most [`SUM_MAX`] bytes from `from` on; what the frame lacks is zero.
#[inline(always)]
pub fn sum<F: Frame>(frame: &F, from: u32, length: u32) -> u32 {
    let mut sum = 0_u64;
    let mut at = from;
    let mut left = if length > SUM_MAX { SUM_MAX } else { length };
    for _ in 0..SUM_MAX / ROUND {
        if left < ROUND {
            break;
        }
        let Some(view) = frame.view::<64>(at) else {
            return fold(sum);
        };
        sum += halves(view.ne64::<0>());
        sum += halves(view.ne64::<8>());
        sum += halves(view.ne64::<16>());
        sum += halves(view.ne64::<24>());
        sum += halves(view.ne64::<32>());
        sum += halves(view.ne64::<40>());
        sum += halves(view.ne64::<48>());
        sum += halves(view.ne64::<56>());
        at += ROUND;
        left -= ROUND;
    }
    for _ in 0..ROUND / 4 {
        if left < 4 {
            break;
        }
        let Some(view) = frame.view::<4>(at) else {
            return fold(sum);
        };
        sum += u64::from(view.ne32::<0>());
        at += 4;
        left -= 4;
    }
    if left >= 2 {
        if let Some(view) = frame.view::<2>(at) {
            sum += u64::from(view.ne16::<0>());
        }
        at += 2;
        left -= 2;
    }
    if left == 1
        && let Some(byte) = frame.u8(at)
    {
        sum += u64::from(u16::from_ne_bytes([byte, 0]));
    }
    fold(sum)
}

#[inline(always)]
const fn halves(word: u64) -> u64 {
    (word & 0xffff_ffff) + (word >> 32)
}

/// Sets what [`Packet`] says is set by this.
#[inline(always)]
pub fn examine<H: Platform>(platform: &mut H) {
    let frame = platform.frame();
    let packet = &mut platform.cpu().packet;
    packet.sum = Sum::Unknown as u8;
    packet.acknowledgement = 0;
    packet.scale = 0;
    if packet.is_continuation() {
        // The frame has no transport header.
        return;
    }
    let start = packet.transport;
    let field;
    if packet.is_tcp() {
        let Some(header) = frame.view::<20>(start) else {
            return;
        };
        packet.acknowledgement = header.be32::<8>();
        packet.urgent = header.be16::<18>();
        field = header.ne16::<16>();
        if packet.tcp_flags & TCP_SYN != 0 {
            let end = packet.offset;
            let scale = scale(platform, start + 20, end);
            platform.cpu().packet.scale = scale;
        }
    } else if packet.protocol == protocol::UDP && !packet.is_fragment() {
        let Some(view) = frame.view::<2>(start + 6) else {
            return;
        };
        field = view.ne16::<0>();
    } else {
        return;
    }
    let packet = &mut platform.cpu().packet;
    if packet.is_fragment() || packet.is_snapped() {
        return;
    }
    if packet.protocol == protocol::UDP && field == 0 {
        // The sender made none (RFC 768).
        packet.sum = Sum::Right as u8;
        return;
    }
    let length = packet.offset.wrapping_sub(start) + packet.payload_length;
    let (network, family) = (packet.network, packet.family);
    let pseudo = pseudo(packet, length);
    let mut whole = u64::from(pseudo);
    let (mut at, mut left) = (start, length);
    for _ in 0..PIECES {
        if left == 0 {
            break;
        }
        let piece = if left > SUM_MAX { SUM_MAX } else { left };
        whole += u64::from(platform.sum(at, piece));
        at += piece;
        left -= piece;
    }
    if left > 0 {
        return;
    }
    let transport = fold(whole);
    let (mut ip, mut ip_field) = (0xffff, 1);
    if family == 4
        && let Some(header) = frame.view::<20>(network)
    {
        ip = platform.sum(network, u32::from(header.u8::<0>() & 0x0f) * 4);
        ip_field = header.ne16::<10>();
    }
    let unfilled = transport != 0xffff && u32::from(field) == pseudo;
    let Cpu { packet, .. } = platform.cpu();
    packet.sum = if (transport != 0xffff && !unfilled) || (ip != 0xffff && ip_field != 0) {
        Sum::Wrong
    } else if unfilled || ip_field == 0 {
        Sum::Unfilled
    } else {
        Sum::Right
    } as u8;
}

/// The sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1).
#[inline(always)]
fn pseudo(packet: &Packet, length: u32) -> u32 {
    let mut sum = u64::from(u16::from_ne_bytes([0, packet.protocol]));
    // An IP packet's length has 16 bits.
    sum += u64::from((length as u16).to_be());
    if packet.family == 4 {
        let [addresses, _] = packet.key4.words();
        sum += halves(addresses);
    } else {
        let key = &packet.key6;
        for end in [&key.addr_a, &key.addr_b] {
            let [high, low] = words(end);
            sum += halves(high) + halves(low);
        }
    }
    fold(sum)
}

#[inline(always)]
const fn words(address: &[u8; 16]) -> [u64; 2] {
    let whole = u128::from_ne_bytes(*address);
    [whole as u64, (whole >> 64) as u64]
}

/// The TCP option at `at`: how many bytes it takes, 0 for the last; and in the byte above that, of a window scale, its shift
/// plus one.
#[inline(always)]
pub fn option<F: Frame>(frame: &F, at: u32) -> u32 {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const WINDOW_SCALE: u8 = 3;
    let Some([kind, length, shift]) = frame.array::<3>(at) else {
        return 0;
    };
    match kind {
        END => 0,
        NOTHING => 1,
        // RFC 7323 section 2.3: a shift above 14 counts as 14.
        WINDOW_SCALE if length == 3 => {
            3 | (if shift > 14 { 15 } else { u32::from(shift) + 1 }) << 8
        }
        _ if length < 2 => 0,
        _ => u32::from(length),
    }
}

/// The window scale of the options from `at` to `end`, plus one.
#[inline(always)]
fn scale<H: Platform>(platform: &mut H, at: u32, end: u32) -> u8 {
    let mut at = at;
    for _ in 0..OPTIONS {
        if at + 3 > end {
            break;
        }
        let option = platform.option(at);
        if option >> 8 != 0 {
            return (option >> 8) as u8;
        }
        if option == 0 {
            break;
        }
        at += option & 0xff;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1071 section 3 adds these bytes to ddf2.
    #[test]
    fn a_sum_is_that_of_the_standard() {
        let bytes = [0x00_u8, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        let sum = sum(&&bytes[..], 0, 8);
        assert_eq!((sum as u16).to_be(), 0xddf2);
    }

    #[test]
    fn a_sum_in_pieces_is_the_same() {
        let bytes: [u8; 999] = core::array::from_fn(|at| (at * 7 % 251) as u8);
        let frame = &bytes[..];
        let all = sum(&frame, 0, 999);
        for at in (2..999).step_by(2) {
            let parts = u64::from(sum(&frame, 0, at)) + u64::from(sum(&frame, at, 999 - at));
            assert_eq!(fold(parts), all, "cut at {at}");
        }
    }

    #[test]
    fn options_say_how_long_they_are() {
        let options = [2_u8, 4, 5, 180, 1, 3, 3, 7, 0, 0];
        let frame = &options[..];
        let seen = [0, 4, 5, 8].map(|at| option(&frame, at));
        assert_eq!(seen, [4, 1, 3 | 8 << 8, 0]);
        assert_eq!(
            option(&&[3_u8, 3, 99][..], 0),
            3 | 15 << 8,
            "a shift counts as 14"
        );
        assert_eq!(option(&&[2_u8, 0, 0][..], 0), 0, "a length of 0 ends it");
        assert_eq!(option(&&[3_u8, 3][..], 0), 0, "the option is cut");
    }
}
