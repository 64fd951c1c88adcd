//! Data frames of 802.11 that are not encrypted (IEEE 802.11 section 9.3.2).

use super::Outcome;
use crate::{
    bytes::{Frame, View},
    counter::Counter,
    packet::{Layer, Macs, Packet, Reach, unread::By},
};

/// Bits of the first byte of the frame control: version and type. Data is type 2.
const KIND: u8 = 0x0f;
const DATA: u8 = 0x08;
/// Subtype bit: no data in it.
const NULL: u8 = 0x40;
/// Subtype bit: a header with quality of service.
const QOS: u8 = 0x80;
/// Bits of the second byte.
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// Bit of the quality of service: several frames in one.
const AGGREGATE: u8 = 0x80;

/// The two bytes of the frame control; some senders of CAPWAP give them in the other order.
#[inline(always)]
fn control<F: Frame>(frame: &F, offset: u32, swapped: bool) -> Option<(u8, u8)> {
    let control = frame.view::<2>(offset)?;
    let (first, second) = (control.u8::<0>(), control.u8::<1>());
    Some(if swapped {
        (second, first)
    } else {
        (first, second)
    })
}

/// True for a frame with data that can be read.
#[inline(always)]
const fn is_plain(first: u8, second: u8) -> bool {
    first & (KIND | NULL) == DATA && second & PROTECTED == 0
}

/// [`Layer::Wifi`], or with the two bytes in the other order where only they are of a frame that can be read.
#[inline(always)]
pub(super) fn order<F: Frame>(frame: &F, offset: u32) -> Layer {
    match control(frame, offset, false) {
        Some((first, second)) if !is_plain(first, second) && is_plain(second, first) => {
            Layer::WifiSwapped
        }
        _ => Layer::Wifi,
    }
}

/// Bytes of the header, and whether frames of their own are behind it.
#[inline(always)]
fn header<F: Frame>(frame: &F, offset: u32, first: u8, second: u8) -> Option<(u32, bool)> {
    let mut length = 24;
    if second & (TO_DS | FROM_DS) == TO_DS | FROM_DS {
        length += 6;
    }
    let mut aggregate = false;
    if first & QOS != 0 {
        aggregate = frame.u8(offset + length)? & AGGREGATE != 0;
        length += 2;
        if second & ORDER != 0 {
            length += 4;
        }
    }
    Some((length, aggregate))
}

/// What a data frame at `offset` carries, and where; `None` for another frame, or one that ends before it.
#[inline(always)]
pub(super) fn body<F: Frame>(frame: &F, offset: u32, swapped: bool) -> Option<(Layer, u32)> {
    let (first, second) = control(frame, offset, swapped)?;
    if !is_plain(first, second) {
        return None;
    }
    let (length, aggregate) = header(frame, offset, first, second)?;
    // Of frames of their own, the first begins as in 802.3.
    let layer = if aggregate {
        Layer::Ethernet
    } else {
        Layer::Llc
    };
    Some((layer, offset + length))
}

/// Reads the frame at the offset, and leaves the Ethernet addresses that it stands for.
#[inline(always)]
pub(super) fn data<F: Frame>(frame: &F, packet: &mut Packet) -> Outcome {
    let start = packet.offset;
    let swapped = packet.layer == Layer::WifiSwapped as u8;
    let Some((first, second)) = control(frame, start, swapped) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    if !is_plain(first, second) {
        return packet.give_up(By::Wifi, u16::from(first | (second & PROTECTED)));
    }
    let Some(addresses) = frame.view::<24>(start) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    let Some((length, aggregate)) = header(frame, start, first, second) else {
        return Outcome::Done(Counter::LinkTruncated);
    };
    if aggregate {
        // Of several frames, the first: addresses and a length, as in 802.3.
        return packet.go_on(Layer::Ethernet, start + length);
    }
    let one = (addresses.ne32::<4>(), addresses.ne16::<8>());
    let two = (addresses.ne32::<10>(), addresses.ne16::<14>());
    let three = (addresses.ne32::<16>(), addresses.ne16::<20>());
    // Destination and source by the direction (IEEE 802.11 table 9-30).
    packet.macs = match second & (TO_DS | FROM_DS) {
        0 => Macs::of_parts(one, two),
        FROM_DS => Macs::of_parts(one, three),
        TO_DS => Macs::of_parts(three, two),
        _ => {
            let Some(source) = frame.view::<6>(start + 24) else {
                return Outcome::Done(Counter::LinkTruncated);
            };
            Macs::of_parts(three, (source.ne32::<0>(), source.ne16::<4>()))
        }
    };
    packet.reach = Reach::Macs as u8;
    packet.go_on(Layer::Llc, start + length)
}
