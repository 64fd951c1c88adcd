//! What is true of a packet or not: the flags of TCP, and those of the parser.

use super::{Packet, protocol};
use crate::registry::{Topic, with_notices};

/// TCP flag FIN (RFC 9293 section 3.1): the sender has no more data.
pub const TCP_FIN: u8 = 0x01;
/// TCP flag SYN (RFC 9293 section 3.1): begins a connection.
pub const TCP_SYN: u8 = 0x02;
/// TCP flag RST (RFC 9293 section 3.1): ends the connection at once.
pub const TCP_RST: u8 = 0x04;
/// TCP flag PSH (RFC 9293 section 3.1): hand the data on at once.
pub const TCP_PSH: u8 = 0x08;
/// TCP flag ACK (RFC 9293 section 3.1): the acknowledgement number is valid.
pub const TCP_ACK: u8 = 0x10;
/// TCP flag URG (RFC 9293 section 3.1): the urgent pointer is valid.
pub const TCP_URG: u8 = 0x20;
/// The flags of a segment that is never just the next of its flow.
pub(crate) const TCP_SPECIAL: u8 = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG;

/// Packet flag: a fragment other than the first.
const LATER_FRAGMENT: u8 = 1;
/// Packet flag: the capture is shorter than the headers say.
const SNAPPED: u8 = 2;
/// Packet flag: a fragment, which others follow.
const MORE_FRAGMENTS: u8 = 0x80;
/// Packet flag: goes on with a packet of which a fragment came before.
const CONTINUATION: u8 = 0x40;
/// The packet flag of a topic; the first topic has the bit after [`SNAPPED`].
#[inline(always)]
const fn topic_flag(topic: Topic) -> u8 {
    let flag = SNAPPED << topic as u8;
    assert!(flag < CONTINUATION, "too many topics for a byte of flags");
    flag
}

/// The flags of all topics.
macro_rules! any_flag {
    ($(($topic:ident $module:ident))+) => {
        const { $(topic_flag(Topic::$topic))|+ }
    };
}

/// The flag of a topic that is known only at run time.
macro_rules! flag_of {
    ($of:ident $(($topic:ident $module:ident))+) => {
        match $of {
            Topic::None => 0,
            $(Topic::$topic => const { topic_flag(Topic::$topic) },)+
        }
    };
}

/// The topic of a packet that has one.
macro_rules! topic_of {
    ($packet:ident ($topic:ident $module:ident)) => {
        Topic::$topic as u8
    };
    ($packet:ident ($topic:ident $module:ident) $($rest:tt)+) => {
        if $packet.flags & const { topic_flag(Topic::$topic) } != 0 {
            Topic::$topic as u8
        } else {
            topic_of!($packet $($rest)+)
        }
    };
}

impl Packet {
    /// True for TCP with a header, so not for a later fragment.
    #[inline(always)]
    #[must_use]
    pub const fn is_tcp(&self) -> bool {
        self.protocol == protocol::TCP && !self.is_later_fragment()
    }

    /// True for a fragment other than the first.
    #[inline(always)]
    #[must_use]
    pub const fn is_later_fragment(&self) -> bool {
        self.flags & LATER_FRAGMENT != 0
    }

    /// True if it goes on with a packet of which a fragment came before.
    #[inline(always)]
    #[must_use]
    pub const fn is_continuation(&self) -> bool {
        self.flags & CONTINUATION != 0
    }

    #[inline(always)]
    pub(crate) fn mark_continuation(&mut self) {
        self.flags |= CONTINUATION;
    }

    /// True for a fragment that others follow.
    #[inline(always)]
    #[must_use]
    pub const fn has_more_fragments(&self) -> bool {
        self.flags & MORE_FRAGMENTS != 0
    }

    /// True if the capture is shorter than the headers say.
    #[inline(always)]
    #[must_use]
    pub const fn is_snapped(&self) -> bool {
        self.flags & SNAPPED != 0
    }

    /// True for a fragment, first or later.
    #[inline(always)]
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.flags & (LATER_FRAGMENT | MORE_FRAGMENTS) != 0
    }

    /// True for a TCP segment with any of these flags.
    #[inline(always)]
    #[must_use]
    pub const fn has_flags(&self, flags: u8) -> bool {
        self.is_tcp() && self.tcp_flags & flags != 0
    }

    /// True for ARP.
    #[inline(always)]
    #[must_use]
    pub const fn is_arp(&self) -> bool {
        self.flags & const { topic_flag(Topic::Arp) } != 0
    }

    /// [`Topic`] of what the packet says of hosts.
    #[inline(always)]
    #[must_use]
    pub const fn topic(&self) -> u8 {
        if self.flags & with_notices!(any_flag!()) == 0 {
            Topic::None as u8
        } else {
            with_notices!(topic_of!(self))
        }
    }

    #[inline(always)]
    pub(crate) fn mark_topic(&mut self, topic: Topic) {
        self.flags |= with_notices!(flag_of!(topic));
    }

    #[inline(always)]
    pub(crate) const fn forget_flags(&mut self) {
        self.flags = 0;
    }

    #[inline(always)]
    pub(crate) fn mark_later_fragment(&mut self) {
        self.flags |= LATER_FRAGMENT;
    }

    #[inline(always)]
    pub(crate) fn mark_more_fragments(&mut self) {
        self.flags |= MORE_FRAGMENTS;
    }

    #[inline(always)]
    pub(crate) fn mark_snapped(&mut self) {
        self.flags |= SNAPPED;
    }

    /// What a SYN adds to the sequence space besides the payload: 1, or 0 without SYN.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn syn_length(&self) -> u32 {
        if self.tcp_flags & TCP_SYN != 0 { 1 } else { 0 }
    }
}
