//! The place of a TCP payload in its stream: what is read, waited for, or given up.

use super::{
    FIN_A, FIN_B, Flow, RESET,
    direction::{halves, jump},
    is_closed,
    order::{
        AHEAD, DAMAGED, FINISHED, GIVE_UP, LOST, RESETTING, STRAY, STRAY_SYN, distance, window,
    },
    update::Edges,
};
use crate::{
    layer7::Protocol,
    packet::{Packet, TCP_FIN},
    time::since,
};

/// Bytes that are missing are waited for so long at most, nanoseconds: a retransmission comes after 1 s (RFC 6298 section
/// 2), its own after 2 s more.
const PATIENCE: u64 = 3_000_000_000;
/// The same where the other direction is not seen, so that nothing tells whether they came.
const PATIENCE_ONE_SIDED: u64 = 200_000_000;
/// A stream that is not recognised after so many bytes is not worth waiting for.
const EARLY: u32 = 4_096;

impl Flow {
    /// The payload and the FIN of a segment that is no reset.
    #[inline(always)]
    pub(super) fn data(&mut self, packet: &mut Packet, now: u64) -> u32 {
        // A SYN takes a number of the sequence space before the payload.
        packet.sequence = packet.sequence.wrapping_add(packet.syn_length());
        let (edges, reads) = self.place(packet, now);
        if reads {
            edges | self.read(packet)
        } else {
            edges
        }
    }

    /// Finds the place of a payload: what follows, and whether it is to be read, `packet.stream_delta` bytes from what was
    /// expected.
    #[inline(always)]
    #[allow(
        clippy::too_many_lines,
        reason = "one decision; parts of it as functions cost the verifier more"
    )]
    fn place(&mut self, packet: &mut Packet, now: u64) -> (u32, bool) {
        let b_sends = packet.direction & 1 == 1;
        let finishes = packet.tcp_flags & TCP_FIN != 0;
        let was_closed = self.is_closed();
        let known = self.protocol != Protocol::None as u8;
        let (me, peer) = halves(&mut self.directions, b_sends);
        let length = packet.payload_length;
        let start = packet.sequence;
        let end = start.wrapping_add(length);
        if !me.stream.is_known() {
            me.stream.start(start);
            me.order.isn = start.wrapping_sub(1);
            me.order.unread = start;
        }
        let next = me.stream.next_sequence;
        let delta = distance(start, next);
        let new = distance(end, next);
        let room = window(peer.window_max, peer.order.scale).cast_signed();
        let one_sided = peer.packets == 0;
        let mut edges = 0;
        if delta > room || new < -room {
            if !(one_sided && delta > 0 && me.order.is(STRAY) && start == me.order.stray_end) {
                me.order.stray(start, end, 0);
                me.order.ignore();
                return (Edges::OUT_OF_WINDOW, false);
            }
            // Nobody acknowledges here, but the stream goes on there.
            jump(me, start);
            return (Edges::JUMP, length > 0);
        }
        if finishes {
            if me.order.is(FINISHED) && new <= 0 {
                me.retransmissions += 1;
                return (0, false);
            }
            me.fin = me.fin.saturating_add(1);
            me.order.flags |= FINISHED;
            me.order.end = end;
            self.flags |= if b_sends { FIN_B } else { FIN_A };
            if !was_closed && is_closed(self.flags) {
                edges |= Edges::CLOSED;
            }
            if length == 0 {
                if one_sided && (me.order.held != 0 || me.order.is(AHEAD)) {
                    // Nothing comes any more, and nobody acknowledges.
                    me.order.flags |= GIVE_UP;
                    edges |= Edges::SETTLE;
                }
                return (edges, false);
            }
        } else if me.order.is(FINISHED | RESETTING) && new > 0 {
            // It goes on all the same.
            if me.order.is(RESETTING) {
                self.flags &= !RESET;
            }
            if me.order.is(FINISHED) {
                self.flags &= !(if b_sends { FIN_B } else { FIN_A });
            }
            me.order.flags &= !(FINISHED | RESETTING);
            me.order.ignore();
        }
        let begins = Protocol::any_may_begin(packet.first_byte);
        // Nothing before it was read, so what this begins with is tried, whatever came there before.
        let untried = me.stream.is_probing() && begins && distance(start, me.order.unread) >= 0;
        if new <= 0 {
            if me.order.is(LOST)
                && start.wrapping_sub(me.order.lost) < me.order.lost_end.wrapping_sub(me.order.lost)
            {
                // It was given up, and comes after all. Where it stands, the stream is read on; what was read beyond it is
                // left out when the stream comes there.
                me.order.ahead = me.order.lost_end;
                me.order.ahead_end = next;
                me.order.lost = end;
                me.order.flags |= AHEAD | DAMAGED;
                me.stream.forget();
                return (edges | Edges::LATE | Edges::SETTLE, true);
            }
            if !untried {
                me.retransmissions += 1;
            }
            return (edges, untried);
        }
        if delta <= 0 {
            if !untried {
                packet.stream_delta = delta;
                if me.order.held != 0 || me.order.is(AHEAD) {
                    edges |= Edges::SETTLE;
                } else if one_sided {
                    me.order.flags &= !(STRAY | STRAY_SYN);
                }
            }
            return (edges, true);
        }
        me.gaps += 1;
        edges |= Edges::GAP;
        packet.stream_delta = delta;
        if me
            .stream
            .survives(delta.cast_unsigned().saturating_add(length))
        {
            return (edges, true);
        }
        if !known && me.stream.offset >= EARLY && !begins {
            me.order.lost = next;
            me.order.lost_end = start;
            me.order.flags |= LOST;
            return (edges, true);
        }
        if me.order.since == 0 {
            me.order.since = now;
        }
        let waited = since(now, me.order.since);
        if waited > PATIENCE || (one_sided && waited > PATIENCE_ONE_SIDED) {
            me.order.flags |= GIVE_UP;
        }
        (edges | Edges::HOLD, false)
    }

    /// Takes a payload in although what is before it did not come; whether a reader wants it, and whether anything was lost.
    #[inline(always)]
    pub(crate) fn skip_to(&mut self, packet: &mut Packet) -> (bool, bool) {
        let (me, _) = halves(&mut self.directions, packet.direction & 1 == 1);
        let next = me.stream.next_sequence;
        let (start, end) = (
            packet.sequence,
            packet.sequence.wrapping_add(packet.payload_length),
        );
        if distance(end, next) <= 0 {
            return (false, false);
        }
        let delta = distance(start, next);
        let lost = delta > 0;
        if lost {
            me.order.lost = next;
            me.order.lost_end = start;
            me.order.flags |= LOST | DAMAGED;
        }
        me.order.flags &= !GIVE_UP;
        me.order.since = 0;
        packet.stream_delta = delta;
        (self.read(packet) != 0, lost)
    }

    /// Takes a payload into the stream.
    #[inline(always)]
    fn read(&mut self, packet: &Packet) -> u32 {
        let (me, _) = halves(&mut self.directions, packet.direction & 1 == 1);
        if me.stream.take(packet) {
            Edges::INSPECT
        } else {
            0
        }
    }
}
