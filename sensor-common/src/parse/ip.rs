//! IPv4 (RFC 791) with options and fragments, IPv6 (RFC 8200) with extension headers.

use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Packet, Reach},
};

/// IPv6 extension headers that are walked.
pub(crate) const MAX_IPV6_EXTENSIONS: u8 = 6;

/// Reads the IP header at `packet.offset` and leaves the offset at the transport header.
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
    if place & 0x1fff != 0 {
        packet.mark_later_fragment();
    }
    if place & 0x2000 != 0 {
        packet.mark_fragmented();
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

    let mut next = header.u8::<6>();
    let mut offset = start + 40;
    for _ in 0..MAX_IPV6_EXTENSIONS {
        let Some(unit) = extension_unit(next) else {
            break;
        };
        let extension = frame.view::<2>(offset).ok_or(Counter::IpTruncated)?;
        let (following, length) = (extension.u8::<0>(), extension.u8::<1>());
        if next == FRAGMENT {
            let place = frame.be16(offset + 2).ok_or(Counter::IpTruncated)?;
            if place & 0xfff8 != 0 {
                packet.mark_later_fragment();
            }
            if place & 1 != 0 {
                packet.mark_fragmented();
            }
            offset += 8;
        } else if unit == 4 {
            offset += (u32::from(length) + 2) * 4;
        } else {
            offset += (u32::from(length) + 1) * 8;
        }
        next = following;
        if packet.is_later_fragment() {
            break;
        }
    }
    if !packet.is_later_fragment() && extension_unit(next).is_some() {
        return Err(Counter::Ipv6ExtensionDepth);
    }
    let headers = offset - start;
    if headers > total {
        return Err(Counter::IpMalformed);
    }
    if headers > available {
        return Err(Counter::IpTruncated);
    }
    packet.protocol = next;
    packet.offset = offset;
    packet.payload_length = total - headers;
    Ok(())
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Unit of an extension header's length field in bytes (RFC 8200 section 4, RFC 4302 section 2.2), or
/// `None` for what is no extension header.
#[inline(always)]
const fn extension_unit(next: u8) -> Option<u8> {
    match next {
        AUTHENTICATION => Some(4),
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
