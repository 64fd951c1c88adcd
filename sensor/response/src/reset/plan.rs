//! Which resets to send, and when. It has no clock and no socket of its own.
//!
//! A receiver takes a reset only at exactly the number that it expects next; inside the window any other
//! only brings a challenge acknowledgement (RFC 9293 section 3.10.7.4, RFC 5961 section 3.2). Two things
//! say what an end expects: what it acknowledged itself, and where the last segment to it ends. Copies
//! arrive late, so either may be old by then: whatever follows, challenge acknowledgements among it, is
//! answered too, always the newest only, in rounds that come further and further apart.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pnet::packet::tcp::TcpFlags;
use sensor_facts::time::Time;

use super::{Limits, ResetReport, ResetState, flow::End, frame::Reset, segment::Segment};

/// Time from the first round to the second, at least; each further one takes twice as long,
const GAP_MIN: Duration = Duration::from_millis(1);
/// up to this,
const GAP_MAX: Duration = Duration::from_millis(200);
/// and after as much silence it begins anew.
const GAP_FORGET: Duration = Duration::from_secs(1);
/// The same segment again within this is a second copy of it, as a span port of both directions makes.
const DUPLICATE: Duration = Duration::from_millis(5);
/// Rounds after which a running transfer counts as one that ignores the resets: only its receiver can end it, and all
/// sequence numbers that are seen are in the past by the time a reset arrives there.
const PATIENCE: u32 = 4;
/// How many resets are then sent beyond the newest segment, each one segment further. They travel faster than the
/// segments of the transfer, so one of them arrives exactly at the number that the receiver expects. Those before it
/// are in the past, and those after it only cause challenge ACKs.
const GUESSES: u32 = 12;
/// Silence after both ends closed, or one reset, that ends the work.
const SILENCE: Duration = Duration::from_secs(2);
/// A segment counts as newer than what is up to half the number space behind it (RFC 9293 section 3.4).
const HALF: u32 = 1 << 31;

/// What is to be sent to one end.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    /// At what it acknowledged itself.
    stated: Option<Reset>,
    /// At the end of what was sent to it.
    ahead: Option<Reset>,
    /// Bytes of the segment before that.
    step: u32,
    /// Guesses that may follow, each a step further.
    guesses: u32,
    /// `ahead` is one.
    is_guess: bool,
}

impl Pending {
    /// Takes the reset that is ahead, and has a guess in its place if there are any left.
    fn take_ahead(&mut self) -> Option<Reset> {
        let reset = self.ahead.take()?;
        self.is_guess = self.guesses > 0;
        if self.is_guess {
            self.guesses -= 1;
            self.ahead = Some(Reset {
                sequence: reset.sequence.wrapping_add(self.step),
                ..reset
            });
        }
        Some(reset)
    }
}

/// The course of one flow's resets.
#[derive(Debug)]
pub(super) struct Plan {
    limits: Limits,
    mark: u16,
    begun: Instant,
    to_a: Pending,
    to_b: Pending,
    /// When resets of the last second were sent.
    recent: VecDeque<Instant>,
    gap: Duration,
    /// Rounds since the gap began anew.
    rounds: u32,
    last_round: Option<Instant>,
    last_segment: Option<(Instant, Segment)>,
    closed_a: bool,
    closed_b: bool,
    reset_seen: bool,
    report: ResetReport,
}

impl Plan {
    pub(super) fn new(limits: Limits, mark: u16, now: Instant) -> Self {
        Self {
            limits,
            mark,
            begun: now,
            to_a: Pending::default(),
            to_b: Pending::default(),
            recent: VecDeque::new(),
            gap: Duration::ZERO,
            rounds: 0,
            last_round: None,
            last_segment: None,
            closed_a: false,
            closed_b: false,
            reset_seen: false,
            report: ResetReport::default(),
        }
    }

    /// Takes in a segment of the flow.
    pub(super) fn see(&mut self, segment: &Segment, now: Instant, wall: Time) {
        if segment.has(TcpFlags::RST) {
            if segment.window == self.mark {
                self.report.own_seen += 1;
                return;
            }
            // Of the connection's own end, or someone else's; a reset is never answered.
            self.reset_seen = true;
            self.note(segment, now, wall);
            return;
        }
        let copied = self.last_segment.is_some_and(|(then, last)| {
            last == *segment && now.saturating_duration_since(then) < DUPLICATE
        });
        if segment.has(TcpFlags::SYN) && !segment.has(TcpFlags::ACK) {
            // A connection begins, also where one ended: nothing known of the old one holds.
            (self.closed_a, self.closed_b, self.reset_seen) = (false, false, false);
            (self.to_a, self.to_b) = (Pending::default(), Pending::default());
        }
        let quiet = self
            .last_segment
            .is_none_or(|(then, _)| now.saturating_duration_since(then) >= GAP_FORGET);
        if quiet {
            (self.gap, self.rounds) = (Duration::ZERO, 0);
        }
        self.note(segment, now, wall);
        if segment.has(TcpFlags::FIN) {
            match segment.from {
                End::A => self.closed_a = true,
                End::B => self.closed_b = true,
            }
        }
        if copied {
            return;
        }
        let (from, to) = (segment.from, segment.from.other());
        let ahead = Reset {
            to,
            mac: segment.destination,
            tags: segment.tags,
            sequence: segment.next(),
            acknowledged: segment.acknowledged,
        };
        let guesses = if segment.payload > 0 && self.may_guess(now) {
            GUESSES
        } else {
            0
        };
        let pending = self.pending(to);
        if pending.is_guess {
            (pending.ahead, pending.is_guess) = (None, false);
        }
        if keep_newest(&mut pending.ahead, ahead) {
            (pending.step, pending.guesses) = (segment.payload, guesses);
        }
        // An end that waits for an answer to its SYN expects no number yet, but the SYN acknowledged.
        let stated = Reset {
            to: from,
            mac: segment.source,
            tags: segment.tags,
            sequence: segment.acknowledged.unwrap_or(0),
            acknowledged: Some(segment.next()),
        };
        if segment.acknowledged.is_some() || segment.has(TcpFlags::SYN) {
            keep_newest(&mut self.pending(from).stated, stated);
        }
    }

    /// Guesses leave a quarter of all that is allowed to resets that are more likely to hit.
    fn may_guess(&self, now: Instant) -> bool {
        let second = Duration::from_secs(1);
        let recent = self.recent.iter().rev();
        let recent = recent.take_while(|then| now.saturating_duration_since(**then) < second);
        let fits = |used: u64, limit: u32| used + u64::from(GUESSES) <= u64::from(limit) * 3 / 4;
        self.rounds >= PATIENCE
            && fits(recent.count() as u64, self.limits.per_second)
            && fits(self.report.sent(), self.limits.packets)
    }

    fn note(&mut self, segment: &Segment, now: Instant, wall: Time) {
        self.report.packets_seen += 1;
        self.report.first.get_or_insert(wall);
        self.report.last = Some(wall);
        self.last_segment = Some((now, *segment));
    }

    fn pending(&mut self, to: End) -> &mut Pending {
        match to {
            End::A => &mut self.to_a,
            End::B => &mut self.to_b,
        }
    }

    /// The next reset, if one is due. Whoever takes it sends it and says so by [`Self::sent`].
    pub(super) fn next(&mut self, now: Instant) -> Option<Reset> {
        if !self.is_pending() || self.due().is_some_and(|due| due > now) || self.spent() {
            return None;
        }
        // What an end stated first: an end that mostly sends expects the same for long.
        let (a, b) = (&mut self.to_a, &mut self.to_b);
        let stated = [&mut a.stated, &mut b.stated]
            .into_iter()
            .find_map(Option::take);
        let reset = stated.or_else(|| [a, b].into_iter().find_map(Pending::take_ahead))?;
        // Where both say the same, one is enough.
        let pending = self.pending(reset.to);
        if stated.is_some()
            && pending
                .ahead
                .is_some_and(|other| other.sequence == reset.sequence)
        {
            pending.take_ahead();
        }
        Some(reset)
    }

    /// A reset went out.
    pub(super) fn sent(&mut self, reset: &Reset, now: Instant) {
        let count = match reset.to {
            End::A => &mut self.report.sent_to_a,
            End::B => &mut self.report.sent_to_b,
        };
        *count += 1;
        self.recent.push_back(now);
        while self.recent.len() > self.limits.per_second as usize {
            self.recent.pop_front();
        }
        if !self.is_pending() {
            self.last_round = Some(now);
            self.gap = (self.gap * 2).clamp(GAP_MIN, GAP_MAX);
            self.rounds += 1;
        }
    }

    fn is_pending(&self) -> bool {
        [&self.to_a, &self.to_b]
            .iter()
            .any(|pending| pending.stated.is_some() || pending.ahead.is_some())
    }

    fn spent(&self) -> bool {
        self.report.sent() >= u64::from(self.limits.packets)
    }

    /// When the next reset may go, if one is to.
    fn due(&self) -> Option<Instant> {
        if !self.is_pending() {
            return None;
        }
        let round = self.last_round.map_or(self.begun, |last| last + self.gap);
        let full = self.recent.len() >= self.limits.per_second as usize;
        let rate = self.recent.front().filter(|_| full);
        Some(rate.map_or(round, |first| round.max(*first + Duration::from_secs(1))))
    }

    /// When something may be to be done without a packet.
    pub(super) fn wake(&self) -> Instant {
        let end = self.begun + self.limits.lifetime;
        let quiet = self
            .last_segment
            .filter(|_| self.has_acted())
            .map(|(last, _)| last + self.silence());
        [self.due(), quiet]
            .into_iter()
            .flatten()
            .fold(end, Instant::min)
    }

    fn is_over(&self) -> bool {
        self.reset_seen || (self.closed_a && self.closed_b)
    }

    fn has_acted(&self) -> bool {
        self.is_over() || self.report.sent() > 0
    }

    fn silence(&self) -> Duration {
        if self.is_over() {
            SILENCE
        } else {
            self.limits.quiet
        }
    }

    /// How it ended, if it did.
    pub(super) fn end(&self, now: Instant) -> Option<ResetState> {
        let silent = self
            .last_segment
            .is_some_and(|(last, _)| now.saturating_duration_since(last) >= self.silence());
        if self.has_acted() && silent {
            Some(ResetState::Ended)
        } else if self.is_pending() && self.spent() {
            Some(ResetState::Exhausted)
        } else if now.saturating_duration_since(self.begun) >= self.limits.lifetime {
            Some(ResetState::Expired)
        } else {
            None
        }
    }

    pub(super) fn report(&self) -> ResetReport {
        let mut report = self.report.clone();
        report.closed = self.is_over();
        if report.sent() > 0 {
            report.state = ResetState::Sent;
        }
        report
    }
}

/// Keeps what is newer, by the circle of sequence numbers; whether that was `reset`.
fn keep_newest(slot: &mut Option<Reset>, reset: Reset) -> bool {
    let newer = slot.is_none_or(|old| reset.sequence.wrapping_sub(old.sequence) < HALF);
    if newer {
        *slot = Some(reset);
    }
    newer
}
