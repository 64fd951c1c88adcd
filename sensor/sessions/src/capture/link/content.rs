//! What a captured packet holds.

use sensor_common::{
    counter::Counter,
    packet::Layer,
    unread::{By, kind},
};

/// What a captured packet holds for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A frame that begins with this layer.
    Frame(Layer, &'a [u8]),
    /// Nothing: the disposition under which the packet counts, and its [kind](sensor_common::unread::kind), 0
    /// where the disposition says all.
    Other(Counter, u32),
}

/// Of a packet that ends within its header.
pub(super) const CUT: Content<'static> = Content::Other(Counter::LinkTruncated, 0);

/// A packet of a kind that is not read.
pub(super) const fn not_ip(by: By, value: u16) -> Content<'static> {
    Content::Other(Counter::NotIp, kind(by, value))
}

/// An address family, which is a small number, so the byte order shows.
pub(super) fn family_of(bytes: [u8; 4]) -> u32 {
    let family = u32::from_be_bytes(bytes);
    if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    }
}

pub(super) fn of_family(family: u32, rest: &[u8]) -> Content<'_> {
    match family {
        // AF_INET, and AF_INET6 of Windows and Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
        2 | 10 | 23 | 24 | 28 | 30 => Content::Frame(Layer::Ip, rest),
        _ => not_ip(By::Link, u16::try_from(family).unwrap_or(u16::MAX)),
    }
}
