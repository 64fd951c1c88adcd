//! IPv4 (RFC 791) with options and fragments, IPv6 (RFC 8200) with extension headers.

use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Packet, Reach, protocol::AUTHENTICATION},
};

/// Extension headers that are walked in a step.
const EXTENSIONS_A_STEP: u8 = 4;

/// Reads the IP header at `packet.offset` and leaves the offset behind it: at the transport header, or at an extension
/// header.
///
/// `announced` is the version that the layer below named, 0 where it named none.
#[inline(always)]
pub(crate) fn parse<F: Frame>(
    frame: &F,
    packet: &mut Packet,
    announced: u8,
) -> Result<(), Counter> {
    let first = frame.u8(packet.offset).ok_or(Counter::IpTruncated)?;
    let version = first >> 4;
    if announced != 0 && version != announced {
        return Err(Counter::IpMalformed);
    }
    match version {
        4 => ipv4(frame, packet),
        6 => ipv6(frame, packet),
        _ => Err(Counter::IpMalformed),
    }
}

#[inline(always)]
fn ipv4<F: Frame>(frame: &F, packet: &mut Packet) -> Result<(), Counter> {
    let start = packet.offset;
    let header = frame.view::<20>(start).ok_or(Counter::IpTruncated)?;
    let header_length = u32::from(header.u8::<0>() & 0x0f) * 4;
    if header_length < 20 {
        return Err(Counter::IpMalformed);
    }
    let available = frame.len().saturating_sub(start);
    let mut total = u32::from(header.be16::<2>());
    if total == 0 {
        // Segmentation offload leaves the length to the card; the frame's is all there is.
        total = available;
    }
    if total < header_length {
        return Err(Counter::IpMalformed);
    }
    if total > available {
        if available < header_length {
            return Err(Counter::IpTruncated);
        }
        packet.mark_snapped();
    }
    packet.family = 4;
    packet.ip_length = total;
    packet.ip_id = header.be16::<4>();
    packet.ttl = header.u8::<8>();
    packet.protocol = header.u8::<9>();
    packet.key4.addr_a = header.ne32::<12>().to_ne_bytes();
    packet.key4.addr_b = header.ne32::<16>().to_ne_bytes();
    packet.reach = Reach::Addresses as u8;
    packet.direction = 0;
    packet.network = start;
    let place = header.be16::<6>();
    if place & 0x3fff != 0 {
        if place & 0x1fff != 0 {
            packet.mark_later_fragment();
        }
        if place & 0x2000 != 0 {
            packet.mark_more_fragments();
        }
    }
    packet.offset = start + header_length;
    packet.payload_length = total - header_length;
    Ok(())
}

#[inline(always)]
fn ipv6<F: Frame>(frame: &F, packet: &mut Packet) -> Result<(), Counter> {
    let start = packet.offset;
    let header = frame.view::<40>(start).ok_or(Counter::IpTruncated)?;
    let available = frame.len().saturating_sub(start);
    let mut total = 40 + u32::from(header.be16::<4>());
    if total == 40 && header.u8::<6>() != NO_NEXT_HEADER {
        // A jumbogram (RFC 2675) or segmentation offload.
        total = available;
    }
    if total > available {
        packet.mark_snapped();
    }
    packet.family = 6;
    packet.ip_length = total;
    packet.ip_id = 0;
    packet.ttl = header.u8::<7>();
    packet.key6.addr_a = halves(header.ne64::<8>(), header.ne64::<16>());
    packet.key6.addr_b = halves(header.ne64::<24>(), header.ne64::<32>());
    packet.network = start;
    packet.reach = Reach::Addresses as u8;
    packet.direction = 0;

    packet.protocol = header.u8::<6>();
    packet.offset = start + 40;
    packet.payload_length = total - 40;
    Ok(())
}

/// True if what follows the header is an extension header; in IPv4 the authentication header is one.
#[inline(always)]
pub(crate) const fn is_extension(packet: &Packet) -> bool {
    extension_unit(packet.family, packet.protocol).is_some() && !packet.is_later_fragment()
}

/// Walks extension headers from the offset on, and leaves it behind the last; false: there are more.
#[inline(always)]
pub(crate) fn extensions<F: Frame>(frame: &F, packet: &mut Packet) -> Result<bool, Counter> {
    let start = packet.offset;
    let mut next = packet.protocol;
    let mut offset = start;
    let mut done = false;
    for _ in 0..EXTENSIONS_A_STEP {
        let Some(unit) = extension_unit(packet.family, next) else {
            done = true;
            break;
        };
        let extension = frame.view::<4>(offset).ok_or(Counter::IpTruncated)?;
        let length = u32::from(extension.u8::<1>());
        let mut later = false;
        if next == FRAGMENT {
            let place = extension.be16::<2>();
            if place & 0xfff8 != 0 {
                packet.mark_later_fragment();
                later = true;
            }
            if place & 1 != 0 {
                packet.mark_more_fragments();
            }
            offset += 8;
        } else if unit == 4 {
            offset += (length + 2) * 4;
        } else {
            offset += (length + 1) * 8;
        }
        next = extension.u8::<0>();
        if later {
            done = true;
            break;
        }
    }
    let headers = offset - start;
    if headers > packet.payload_length {
        return Err(Counter::IpMalformed);
    }
    if offset > frame.len() {
        return Err(Counter::IpTruncated);
    }
    packet.protocol = next;
    packet.offset = offset;
    packet.payload_length -= headers;
    Ok(done || extension_unit(packet.family, next).is_none())
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Unit of an extension header's length field in bytes (RFC 8200 section 4, RFC 4302 section 2.2), or
/// `None` for what is no extension header.
#[inline(always)]
const fn extension_unit(family: u8, next: u8) -> Option<u8> {
    match next {
        AUTHENTICATION => Some(4),
        _ if family == 4 => None,
        HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION | MOBILITY | HIP | SHIM6 => Some(8),
        _ => None,
    }
}

/// An address of two words as they were loaded.
#[inline(always)]
const fn halves(first: u64, second: u64) -> [u8; 16] {
    // As one number, so that it is stored by words.
    let address = if cfg!(target_endian = "little") {
        (second as u128) << 64 | first as u128
    } else {
        (first as u128) << 64 | second as u128
    };
    address.to_ne_bytes()
}
