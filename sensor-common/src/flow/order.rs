//! How the receiver of a direction takes its segments (RFC 9293, RFC 5961, and what Linux does where these leave a choice).

use crate::packet::{Packet, Sum, TCP_RST, TCP_SYN};

/// Flag: `isn` is the number of a SYN of this side.
pub(crate) const OPENED: u16 = 1;
/// Flag: the other side acknowledged a number of this direction near the one that is expected next.
pub(crate) const CONFIRMED: u16 = 2;
/// Flag: `acknowledged` holds a number of this side.
pub(crate) const ACKED: u16 = 4;
/// Flag: `ahead` and `ahead_end` name bytes that came before others and were not kept.
pub(crate) const AHEAD: u16 = 8;
/// Flag: `lost` and `lost_end` name bytes that are waited for no longer.
pub(crate) const LOST: u16 = 16;
/// Flag: `stray` and `stray_end` name a segment that the receiver has no room for, by what is known.
pub(crate) const STRAY: u16 = 32;
/// Flag: the stray segment is a SYN.
pub(crate) const STRAY_SYN: u16 = 64;
/// Flag: the bytes that are missing are not waited for any longer.
pub(crate) const GIVE_UP: u16 = 128;
/// Flag: a FIN of this side was seen.
pub(crate) const FINISHED: u16 = 256;
/// Flag: a reset of this side was believed.
pub(crate) const RESETTING: u16 = 512;
/// Flag: bytes were left out of which no chunk told yet.
pub(crate) const DAMAGED: u16 = 1_024;
/// Flag: data with a right checksum came.
pub(crate) const SUMMED: u16 = 2_048;
/// Flag: the first sum was one that a card would have filled in, so the sender's others are such sums too, or right.
pub(crate) const UNFILLED: u16 = 4_096;

/// Segments of a direction that are kept until what is before them comes.
pub(crate) const HELD_MAX: u32 = 4;
/// The shift of a window whose scale is not known: with it a window can be 16 MiB, which is what systems offer at most by
/// default.
const UNKNOWN_SHIFT: u32 = 8;
/// The longest IP packet of an Ethernet frame that is not a jumbo frame, in bytes.
const ETHERNET_MTU: u32 = 1_500;
/// Segments within this many bytes are always taken for ones inside of the window, in bytes: the window of a SYN.
const WINDOW_LEAST: u32 = 65_535;

/// What is known of a direction's order beyond [`crate::layer7::Stream`]. Only packets that are not just the next of their
/// flow change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Order {
    /// Since when bytes are waited for, nanoseconds; 0 where none are.
    pub since: u64,
    /// Sequence number of the SYN, or the number before the first byte that was seen.
    pub isn: u32,
    /// The last acknowledgement number that this side sent while it was watched.
    pub acknowledged: u32,
    /// First of the bytes that came before others and were not kept.
    pub ahead: u32,
    /// The number after them.
    pub ahead_end: u32,
    /// First of the bytes that are waited for no longer.
    pub lost: u32,
    /// The number after them.
    pub lost_end: u32,
    /// First byte of a segment outside of the window.
    pub stray: u32,
    /// The number after it.
    pub stray_end: u32,
    /// Where the bytes begin of which no reader has seen any.
    pub unread: u32,
    /// The last packet that came again: the lower half of its fingerprint.
    pub copied: u32,
    /// Segments that the receiver would discard, which changed nothing.
    pub ignored: u32,
    /// Flags of this module.
    pub flags: u16,
    /// Segments whose checksums were right, at most 255.
    pub good: u8,
    /// Segments whose checksums were not, before any right one told that they should be; at most 255.
    pub bad: u8,
    /// Shift of the windows that this side offers plus one; 0: not known.
    pub scale: u8,
    /// Which of the places of this direction hold a segment, bit by number.
    pub held: u8,
    /// How often that packet came again.
    pub copies: u8,
    /// Not 0 once segments may take the short way ([`crate::flow::Flow::follow`]).
    pub plain: u8,
    /// Sequence number of the FIN.
    pub end: u32,
}

impl Order {
    /// Before the first packet.
    pub const EMPTY: Self = Self {
        since: 0,
        isn: 0,
        acknowledged: 0,
        ahead: 0,
        ahead_end: 0,
        lost: 0,
        lost_end: 0,
        stray: 0,
        stray_end: 0,
        unread: 0,
        copied: 0,
        ignored: 0,
        flags: 0,
        good: 0,
        bad: 0,
        scale: 0,
        held: 0,
        copies: 0,
        plain: 0,
        end: 0,
    };

    /// True with any bit of `flags` set.
    #[inline(always)]
    pub(crate) const fn is(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }

    /// True if something of this direction is not decided yet.
    #[inline(always)]
    pub(crate) const fn is_open(&self) -> bool {
        self.held != 0 || self.is(AHEAD | STRAY | GIVE_UP)
    }

    /// Takes the checksums of a segment into account, `next` being the number expected: true if the receiver discards it.
    ///
    /// A host that segments or sums in its card shows its own packets without sums where it is itself the one that
    /// listens. So a wrong sum says something only in a direction that has shown more right ones than wrong ones.
    #[inline(always)]
    pub(crate) fn discards(&mut self, packet: &Packet, next: u32) -> bool {
        match packet.sum {
            s if s == Sum::Unknown as u8 => false,
            s if s == Sum::Right as u8 => {
                self.good = self.good.saturating_add(1);
                if packet.payload_length > 0 {
                    self.flags |= SUMMED;
                }
                false
            }
            _ if self.is_distrusted(packet, next) => {
                self.ignored = self.ignored.saturating_add(1);
                true
            }
            sum => {
                if sum == Sum::Unfilled as u8 && self.good == 0 && self.bad == 0 {
                    self.flags |= UNFILLED;
                }
                if self.good <= self.bad {
                    self.bad = self.bad.saturating_add(1);
                }
                false
            }
        }
    }

    /// True if the receiver discards a packet with these checksums, by what is known.
    ///
    /// Data that begins at `next`, the number expected, is believed until data with a right sum came: some recordings have
    /// wrong sums in all data, as they were changed afterwards, and right ones in the segments without. So is data that is
    /// longer than Ethernet carries: the listening host's card joined segments that came, and left the sum of the first. In a
    /// direction whose sums a card fills in behind the sensor, as on virtual switches, a sum that is neither right nor
    /// unfilled is not of that sender.
    #[inline(always)]
    pub(crate) const fn is_distrusted(&self, packet: &Packet, next: u32) -> bool {
        let shown = packet.payload_length == 0
            || packet.sequence != next
            || (self.is(SUMMED) && packet.ip_length <= ETHERNET_MTU)
            || packet.tcp_flags & (TCP_SYN | TCP_RST) != 0;
        let foreign =
            packet.sum == Sum::Wrong as u8 && self.is(UNFILLED) && packet.ip_length <= ETHERNET_MTU;
        packet.sum > Sum::Right as u8 && (foreign || (self.good > self.bad && shown))
    }

    /// True if this is the first right checksum after wrong ones that nothing has confirmed: what they said is forgotten.
    #[inline(always)]
    pub(crate) const fn is_cleared_by(&self, packet: &Packet) -> bool {
        packet.sum == Sum::Right as u8 && self.good == 0 && self.bad > 0 && !self.is(CONFIRMED)
    }

    /// Counts a segment that changed nothing.
    #[inline(always)]
    pub(crate) fn ignore(&mut self) {
        self.ignored = self.ignored.saturating_add(1);
    }

    /// Notes a segment outside of the window: the other side will tell.
    #[inline(always)]
    pub(crate) fn stray(&mut self, start: u32, end: u32, flag: u16) {
        self.stray = start;
        self.stray_end = end;
        self.flags = self.flags & !STRAY_SYN | STRAY | flag;
    }
}

/// How far beyond the byte expected next a segment can lie: the greatest window that its receiver offered, in bytes.
#[inline(always)]
pub(crate) const fn window(offered: u16, scale: u8) -> u32 {
    let shift = match scale as u32 {
        0 => UNKNOWN_SHIFT,
        known if known > 14 => 14,
        known => known - 1,
    };
    let window = (offered as u32) << shift;
    if window > WINDOW_LEAST {
        window
    } else {
        WINDOW_LEAST
    }
}

/// How far `number` lies after `from` in sequence space; negative before it.
#[inline(always)]
pub(crate) const fn distance(number: u32, from: u32) -> i32 {
    number.wrapping_sub(from).cast_signed()
}

/// True if `number` is in the range after `start` up to `end`.
#[inline(always)]
pub(crate) const fn is_within(number: u32, start: u32, end: u32) -> bool {
    let into = number.wrapping_sub(start);
    into != 0 && into <= end.wrapping_sub(start)
}
