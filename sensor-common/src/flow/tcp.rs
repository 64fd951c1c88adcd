//! A TCP segment that is more than the next of its flow: what its receiver makes of it decides what it changes here.
//!
//! The rules are those of RFC 9293 section 3.10.7 and RFC 5961 sections 3 to 5, as Linux has them: a segment with a wrong
//! checksum, outside of the window or without ACK changes nothing; a reset counts only at the very number that is expected
//! next; a SYN in a connection changes nothing. Where the sensor can have missed something, the other side's acknowledgements
//! decide.

use super::{
    FIN_A, FIN_B, FIRST_PAYLOADS, Flow, MIDSTREAM, RESET,
    direction::{halves, jump},
    order::{
        ACKED, AHEAD, CONFIRMED, DAMAGED, FINISHED, GIVE_UP, LOST, OPENED, RESETTING, STRAY,
        STRAY_SYN, distance, is_within, window,
    },
    role::Rank,
    update::Edges,
};
use crate::packet::{Packet, TCP_ACK, TCP_FIN, TCP_RST, TCP_SPECIAL, TCP_SYN, TCP_URG};

/// Packets after which a flow is watched no longer although nothing was acknowledged: one direction is not seen, or the
/// beginning was not.
const WATCHED: u64 = 8;
/// Bytes that a SYN can carry (RFC 7413), at most.
const SYN_PAYLOAD: u32 = 65_535;

impl Flow {
    /// True if a TCP segment has to be [examined](crate::engine::examine) before [`Flow::update`]: all but those that
    /// [`Flow::follow`] could take.
    #[inline(always)]
    #[must_use]
    pub fn is_special(&self, packet: &Packet) -> bool {
        let [a, b] = &self.directions;
        let half = if packet.direction & 1 == 1 { b } else { a };
        packet.tcp_flags & TCP_SPECIAL != 0
            || half.order.plain == 0
            || (packet.payload_length > 0
                && (self.first_count < FIRST_PAYLOADS as u32 || !half.stream.expects(packet)))
    }

    /// Takes in what a special segment says of the connection, and says what follows: [`Edges`] as a number. Its checksum was
    /// judged before, and it is no copy.
    #[inline(always)]
    pub(crate) fn segment(&mut self, packet: &mut Packet, now: u64) -> u32 {
        let flags = packet.tcp_flags;
        packet.stream_delta = 0;
        let (me, _) = halves(&mut self.directions, packet.direction & 1 == 1);
        if me.order.is_cleared_by(packet) {
            me.forget_order();
            self.forget_opening();
        }
        let mut edges = 0;
        let mut goes_on = packet.payload_length > 0 || flags & TCP_FIN != 0;
        if flags & TCP_RST != 0 {
            edges |= self.reset(packet);
            goes_on = false;
        } else if flags & TCP_SYN != 0 {
            let odd = self.synchronise(packet);
            edges |= odd;
            // A payload may come with it (RFC 7413).
            goes_on = goes_on && odd == 0;
        } else if flags & TCP_ACK == 0 {
            // RFC 9293 section 3.10.7.4, fifth: drop the segment.
            edges |= self.ignore(packet, Edges::BAD_FLAGS);
            goes_on = false;
        } else if !packet.is_continuation() {
            edges |= self.acknowledge(packet);
        }
        if flags & TCP_URG != 0 && edges == 0 {
            // The receiver takes a byte out of the stream, by default, unless it has it already: the last before the pointer
            // in Linux, other systems take the next (RFC 6093). The pointer can come before its byte.
            let (me, _) = halves(&mut self.directions, packet.direction & 1 == 1);
            let behind = u32::from(packet.urgent).saturating_sub(1);
            if distance(
                packet.sequence.wrapping_add(behind),
                me.stream.next_sequence,
            ) >= 0
            {
                me.order.flags |= DAMAGED;
                edges |= Edges::URGENT;
            }
        }
        if goes_on {
            edges |= self.data(packet, now);
        }
        self.watch();
        edges
    }

    #[inline(always)]
    fn ignore(&mut self, packet: &Packet, why: u32) -> u32 {
        let (me, _) = halves(&mut self.directions, packet.direction & 1 == 1);
        me.order.ignore();
        why
    }

    /// Takes in a reset, which counts only where its receiver believes it.
    #[inline(always)]
    fn reset(&mut self, packet: &Packet) -> u32 {
        if packet.tcp_flags & TCP_SYN != 0 {
            return self.ignore(packet, Edges::BAD_FLAGS);
        }
        let was_closed = self.is_closed();
        let (me, peer) = halves(&mut self.directions, packet.direction & 1 == 1);
        let believed = if me.stream.is_known() {
            let ahead = distance(packet.sequence, me.stream.next_sequence);
            // The number of the FIN is not in `next_sequence`.
            ahead == 0
                || (ahead == 1 && me.order.is(FINISHED))
                || (peer.order.is(ACKED) && packet.sequence == peer.order.acknowledged)
                || (me.order.is(AHEAD) && packet.sequence == me.order.ahead_end)
        } else if packet.tcp_flags & TCP_ACK != 0 && peer.order.is(OPENED) {
            // The answer to a SYN (RFC 9293 section 3.10.7.3): it must acknowledge it.
            let acknowledged = packet.acknowledgement.wrapping_sub(peer.order.isn);
            acknowledged != 0 && acknowledged <= 1 + SYN_PAYLOAD
        } else {
            true
        };
        if !believed {
            me.order.ignore();
            return Edges::RESET_IGNORED;
        }
        me.rst = me.rst.saturating_add(1);
        me.order.flags |= RESETTING;
        me.order.plain = 0;
        self.flags |= RESET;
        if was_closed { 0 } else { Edges::CLOSED }
    }

    /// Takes in a SYN, which changes nothing in a connection that exists.
    #[inline(always)]
    fn synchronise(&mut self, packet: &Packet) -> u32 {
        if packet.tcp_flags & TCP_FIN != 0 {
            return self.ignore(packet, Edges::BAD_FLAGS);
        }
        let b_sends = packet.direction & 1 == 1;
        let answers = packet.tcp_flags & TCP_ACK != 0;
        let (me, peer) = halves(&mut self.directions, b_sends);
        if me.order.is(OPENED) && me.order.isn == packet.sequence && me.syn > 0 {
            me.syn = me.syn.saturating_add(1);
            me.retransmissions += 1;
            return Edges::AGAIN;
        }
        let unanswered = answers
            && peer.order.is(OPENED)
            && !is_within(
                packet.acknowledgement,
                peer.order.isn,
                peer.order.isn.wrapping_add(1 + SYN_PAYLOAD),
            );
        if unanswered || me.order.is(CONFIRMED) {
            me.order.ignore();
            if !answers {
                let sequence = packet.sequence;
                me.order
                    .stray(sequence, sequence.wrapping_add(1), STRAY_SYN);
            }
            return Edges::SYN_IGNORED;
        }
        me.syn = me.syn.saturating_add(1);
        let first = packet.sequence.wrapping_add(1);
        if me.stream.is_known() && me.stream.next_sequence != first {
            // The reader waits for bytes of a connection that is no more, or never was.
            me.stream.forget();
        }
        me.stream.start(first);
        me.order.isn = packet.sequence;
        me.order.scale = packet.scale;
        me.order.unread = first;
        me.order.flags = me.order.flags & !(AHEAD | STRAY | STRAY_SYN | LOST | FINISHED) | OPENED;
        let mut rank = Rank::Syn;
        if answers {
            rank = Rank::SynAck;
            if peer.order.is(OPENED) {
                peer.order.flags |= CONFIRMED;
                rank = Rank::Handshake;
            }
        }
        self.opened_by(b_sends != answers, rank);
        0
    }

    /// What the segment acknowledges of the other direction.
    #[inline(always)]
    fn acknowledge(&mut self, packet: &Packet) -> u32 {
        let number = packet.acknowledgement;
        let (me, peer) = halves(&mut self.directions, packet.direction & 1 == 1);
        let before = me.order.acknowledged;
        let advanced = !me.order.is(ACKED) || distance(number, before) > 0;
        if me.order.is(RESETTING) && advanced {
            // Who has reset a connection says nothing more in it: the reset came from elsewhere.
            me.order.flags &= !RESETTING;
            me.order.ignore();
            self.flags &= !RESET;
        }
        me.order.acknowledged = number;
        me.order.flags |= ACKED;
        if !peer.stream.is_known() {
            return 0;
        }
        let mut ahead = distance(number, peer.stream.next_sequence);
        if ahead == 1 && peer.order.is(FINISHED) {
            ahead = 0;
        }
        let room = window(me.window_max, me.order.scale).cast_signed();
        if ahead <= 0 && ahead >= -room {
            if distance(number, peer.order.isn) > 0 {
                peer.order.flags = (peer.order.flags | CONFIRMED) & !(STRAY | STRAY_SYN);
            }
            return 0;
        }
        if ahead > 0 && (peer.order.held != 0 || peer.order.is(AHEAD)) {
            // It has what the sensor waits for.
            peer.order.flags |= GIVE_UP;
            return Edges::SETTLE_OTHER;
        }
        if peer.order.is(STRAY)
            && !peer.order.is(STRAY_SYN)
            && is_within(number, peer.order.stray, peer.order.stray_end)
        {
            // It took the segment that was thought to be outside: the sensor was wrong, or missed much.
            jump(peer, number);
            peer.order.flags |= CONFIRMED;
            return Edges::JUMP;
        }
        0
    }

    /// Forgets who opened the connection and that it was closed, by packets that are not believed any more.
    #[inline(always)]
    pub(super) fn forget_opening(&mut self) {
        if self.role < Rank::Content as u8 {
            self.role = Rank::Guess as u8;
            self.flags |= MIDSTREAM;
        }
        self.flags &= !(RESET | FIN_A | FIN_B);
    }

    /// Lets the segments of both directions take the short way if nothing is open.
    #[inline(always)]
    fn watch(&mut self) {
        let watched = self.packets() < WATCHED;
        let [a, b] = &mut self.directions;
        let open = a.order.is_open()
            || b.order.is_open()
            || (watched && !(a.order.is(CONFIRMED) && b.order.is(CONFIRMED)));
        for half in [a, b] {
            let goes_on = half.packets > 0 && !half.order.is(FINISHED | RESETTING);
            half.order.plain = u8::from(!open && goes_on);
        }
    }
}
