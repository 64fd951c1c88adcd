//! What was given to a connection and may have to be given to the next one.
//!
//! TCP tells what the receiver's kernel has taken, not what its program has read: what was taken a short while before a
//! connection broke may be lost. So messages stay here for that while, and are sent again after a break.

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

/// For so long after the receiver's kernel took it, a message is sent again when the connection breaks.
pub(super) const KEEP: Duration = Duration::from_mins(1);
/// Bytes that are kept at most, beside one batch.
pub(super) const BYTES: usize = 8 << 20;

struct Message {
    bytes: Vec<u8>,
    /// It was written, on this connection or one before.
    written: bool,
    /// Bytes that the connection had sent after it.
    mark: u64,
    /// When the receiver's kernel had taken it, on this connection.
    taken: Option<Instant>,
    /// It was taken once, on this connection or one before.
    delivered: bool,
}

/// Messages in order: those that were written, then those that were not.
#[derive(Default)]
pub(super) struct Window {
    messages: VecDeque<Message>,
    bytes: usize,
    /// Of these, bytes that the receiver's kernel has taken, on this connection.
    taken_bytes: usize,
    /// The first that was not written on this connection.
    next: usize,
    undelivered: usize,
}

impl Window {
    /// Takes a message.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.undelivered += 1;
        self.messages.push_back(Message {
            bytes,
            written: false,
            mark: u64::MAX,
            taken: None,
            delivered: false,
        });
    }

    /// True while more may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < BYTES
    }

    /// Messages that were never delivered.
    pub(super) fn undelivered(&self) -> u64 {
        self.undelivered as u64
    }

    /// Bytes of the next messages to write, of about `size` bytes, and which they are; none if all are written.
    pub(super) fn batch(&self, size: usize) -> Option<(Vec<u8>, Range<usize>)> {
        let mut batch = Vec::new();
        let mut end = self.next;
        for message in self.messages.iter().skip(self.next) {
            if !batch.is_empty() && batch.len() + message.bytes.len() > size {
                break;
            }
            batch.extend_from_slice(&message.bytes);
            end += 1;
        }
        (end > self.next).then_some((batch, self.next..end))
    }

    /// A batch is written, the connection having sent `mark` bytes; how many of it had been written before.
    pub(super) fn written(&mut self, batch: Range<usize>, mark: u64) -> u64 {
        self.next = batch.end;
        let mut again = 0;
        for message in self.messages.range_mut(batch) {
            message.mark = mark;
            again += u64::from(message.written);
            message.written = true;
        }
        again
    }

    /// The receiver's kernel has taken so many bytes of the connection: messages and bytes that were never delivered
    /// before.
    pub(super) fn taken(&mut self, position: u64, now: Instant) -> (u64, u64) {
        let (mut count, mut bytes) = (0, 0);
        for message in self.messages.range_mut(..self.next) {
            if message.taken.is_some() || message.mark > position {
                continue;
            }
            message.taken = Some(now);
            self.taken_bytes += message.bytes.len();
            if !message.delivered {
                message.delivered = true;
                count += 1;
                bytes += message.bytes.len() as u64;
            }
        }
        self.undelivered -= usize::try_from(count).unwrap_or(self.undelivered);
        (count, bytes)
    }

    /// Forgets what need not be sent again. What was not taken yet pushes nothing out: it piles up while a receiver
    /// stalls, and what that one took before is what is lost when the connection breaks.
    pub(super) fn forget(&mut self, now: Instant) {
        while let Some(message) = self.messages.front()
            && let Some(taken) = message.taken
            && (now.duration_since(taken) >= KEEP || self.taken_bytes > BYTES / 2)
        {
            self.bytes -= message.bytes.len();
            self.taken_bytes -= message.bytes.len();
            self.next -= 1;
            self.messages.pop_front();
        }
    }

    /// The connection is gone: all that is kept has to be written again.
    pub(super) fn restart(&mut self) {
        self.next = 0;
        self.taken_bytes = 0;
        for message in &mut self.messages {
            message.taken = None;
            message.mark = u64::MAX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(count: u8) -> Window {
        let mut window = Window::default();
        for number in 0..count {
            window.push(vec![number; 10]);
        }
        window
    }

    fn write_all(window: &mut Window, size: usize) -> (Vec<u8>, u64) {
        let (mut all, mut again) = (Vec::new(), 0);
        while let Some((bytes, range)) = window.batch(size) {
            all.extend_from_slice(&bytes);
            again += window.written(range, all.len() as u64);
        }
        (all, again)
    }

    #[test]
    fn what_waits_does_not_push_out_what_was_taken() {
        let now = Instant::now();
        let mut window = Window::default();
        for number in 0..8_u8 {
            window.push(vec![number; BYTES / 8]);
        }
        assert!(!window.has_room());
        write_all(&mut window, 1);
        // The receiver's kernel took one, and no more.
        let one = (BYTES / 8) as u64;
        assert_eq!(window.taken(one, now), (1, one));
        window.forget(now);
        window.restart();
        let (again, _) = write_all(&mut window, 1);
        assert_eq!(again.first(), Some(&0), "it is sent again");
        assert_eq!(again.len(), BYTES);
        // More than half of all, taken: the first go.
        window.taken(6 * one, now);
        window.forget(now);
        assert!(window.has_room());
        window.restart();
        let (again, _) = write_all(&mut window, 1);
        assert_eq!(again.first(), Some(&2));
    }

    #[test]
    fn what_was_not_taken_is_written_again_and_counted_once() {
        let now = Instant::now();
        let mut window = window(5);
        let (all, again) = write_all(&mut window, 25);
        assert_eq!((all.len(), again), (50, 0));
        // Three and a half: batches are of two.
        assert_eq!(window.taken(35, now), (2, 20));
        assert_eq!(window.undelivered(), 3);
        window.restart();
        let (all, again) = write_all(&mut window, 25);
        assert_eq!((all.len(), again), (50, 5));
        assert_eq!(window.taken(50, now), (3, 30));
        assert_eq!(window.taken(50, now), (0, 0));
        assert_eq!(window.undelivered(), 0);
    }

    #[test]
    fn what_was_taken_is_kept_for_a_while() {
        let now = Instant::now();
        let mut window = window(3);
        write_all(&mut window, 10);
        window.taken(20, now);
        window.forget(now + KEEP / 2);
        window.restart();
        assert_eq!(write_all(&mut window, 99).0.len(), 30);
        window.taken(30, now + KEEP);
        window.forget(now + KEEP);
        window.restart();
        assert_eq!(write_all(&mut window, 99).0.len(), 30);
        window.taken(30, now + KEEP);
        window.forget(now + KEEP * 2);
        window.restart();
        assert!(window.batch(99).is_none());
    }

    #[test]
    fn bytes_are_bounded() {
        let now = Instant::now();
        let mut window = Window::default();
        let mut sent = 0;
        for round in 0..3 {
            while window.has_room() {
                window.push(vec![0; 1 << 16]);
            }
            assert!(window.bytes <= BYTES + (1 << 16));
            while let Some((bytes, range)) = window.batch(1 << 18) {
                sent += bytes.len() as u64;
                window.written(range, sent);
            }
            window.forget(now);
            assert!(round > 0 || !window.has_room(), "nothing was taken");
            window.taken(sent, now);
            window.forget(now);
            assert!(window.has_room());
        }
    }
}
