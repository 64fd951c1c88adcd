//! TCP connections (RFC 9293), segment by segment, as a mirror of the core switch sees them.
//!
//! Segments may have up to 64 KiB, as with receive offload, and their checksums are left to the card. Bulk data is cut
//! after its first bytes.

use super::{
    burst::{Burst, MICRO},
    frame::{Way, ip},
};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// Payload of an ordinary segment.
const SEGMENT: usize = 1_460;
/// Payload of a segment that a card put together.
const LARGE: u64 = 64_000;
/// What is left of the payload of a segment that is cut.
const SHOWN: usize = 16;

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who opened it.
    Client,
    /// Who was asked.
    Server,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

#[derive(Clone, Debug)]
struct End {
    way: Way,
    port: u16,
    sequence: u32,
    id: u16,
    window: u16,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Tcp {
    ends: [End; 2],
    /// Time of a round trip, nanoseconds.
    pub rtt: u64,
    /// Bytes a second.
    pub rate: u64,
    /// One of so many segments with data is sent again; 0 for none.
    pub lossy: u64,
    last: Option<Side>,
}

impl Tcp {
    /// Between `ports` along `ways`, both from client to server and back; `noise` gives the initial numbers.
    #[must_use]
    pub fn new(ways: [Way; 2], ports: [u16; 2], noise: u64) -> Self {
        let end = |way, port, number: u64| End {
            way,
            port,
            sequence: u32::try_from(number & 0xffff_ffff).unwrap_or(0),
            id: u16::try_from(number >> 8 & 0xffff).unwrap_or(1),
            window: 501,
        };
        let [to, back] = ways;
        Self {
            ends: [end(to, ports[0], noise), end(back, ports[1], noise >> 32)],
            rtt: 300 * MICRO,
            rate: 110_000_000,
            lossy: 0,
            last: None,
        }
    }

    /// Client's port.
    #[must_use]
    pub const fn client_port(&self) -> u16 {
        self.ends[0].port
    }

    fn segment(&mut self, burst: &mut Burst, from: Side, flags: u8, payload: &[u8], length: u64) {
        if self.last.is_some_and(|last| last != from) {
            let half = self.rtt / 2;
            burst.wait(half);
        } else if self.last.is_some() {
            burst.now += 8 * MICRO + length.max(60) * 1_000_000_000 / self.rate.max(1);
        }
        self.last = Some(from);
        let [client, server] = &mut self.ends;
        let (sender, receiver) = match from {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        sender.id = sender.id.wrapping_add(1).max(1);
        let options: &[u8] = if flags & SYN != 0 {
            // Segment size 1460, selective acknowledgements, window scale 7.
            &[2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]
        } else {
            &[]
        };
        let offset = u8::try_from((20 + options.len()) / 4).unwrap_or(5) << 4;
        let total = u16::try_from(20 + 20 + options.len() as u64 + length).unwrap_or(u16::MAX);
        let acknowledged = if flags & ACK != 0 {
            receiver.sequence
        } else {
            0
        };
        burst.frame(|out| {
            ip(out, &sender.way, 6, total, sender.id);
            out.extend_from_slice(&sender.port.to_be_bytes());
            out.extend_from_slice(&receiver.port.to_be_bytes());
            out.extend_from_slice(&sender.sequence.to_be_bytes());
            out.extend_from_slice(&acknowledged.to_be_bytes());
            out.extend_from_slice(&[offset, flags]);
            out.extend_from_slice(&sender.window.to_be_bytes());
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(options);
            out.extend_from_slice(payload);
        });
        let counted = u32::from(flags & (SYN | FIN) != 0);
        sender.sequence = sender
            .sequence
            .wrapping_add(u32::try_from(length).unwrap_or(0))
            .wrapping_add(counted);
    }

    /// Data, then perhaps the same again.
    fn data(&mut self, burst: &mut Burst, from: Side, flags: u8, payload: &[u8], length: u64) {
        let before = self.ends[from as usize].sequence;
        self.segment(burst, from, flags, payload, length);
        if self.lossy > 0 && burst.noise(self.lossy) == 0 {
            burst.wait(200_000 * MICRO);
            self.ends[from as usize].sequence = before;
            self.segment(burst, from, flags, payload, length);
        }
    }

    /// The three segments of the opening.
    pub fn open(&mut self, burst: &mut Burst) {
        self.segment(burst, Side::Client, SYN, &[], 0);
        self.segment(burst, Side::Server, SYN | ACK, &[], 0);
        self.segment(burst, Side::Client, ACK, &[], 0);
    }

    /// Asks, and is answered with a reset.
    pub fn refused(&mut self, burst: &mut Burst) {
        self.segment(burst, Side::Client, SYN, &[], 0);
        self.segment(burst, Side::Server, RST | ACK, &[], 0);
    }

    /// Asks `times` times, and is not answered.
    pub fn unanswered(&mut self, burst: &mut Burst, times: u32) {
        for nth in 0..times {
            self.segment(burst, Side::Client, SYN, &[], 0);
            let client = &mut self.ends[0];
            client.sequence = client.sequence.wrapping_sub(1);
            if nth + 1 < times {
                burst.now += 1_000_000_000 << nth;
            }
        }
    }

    /// Gives the client another address, as one who lies about it does.
    pub fn spoof(&mut self, address: std::net::Ipv4Addr) {
        let [client, server] = &mut self.ends;
        client.way.from = address;
        server.way.to = address;
    }

    /// Asks and is answered, but says no more: half open.
    pub fn half(&mut self, burst: &mut Burst) {
        self.segment(burst, Side::Client, SYN, &[], 0);
        self.segment(burst, Side::Server, SYN | ACK, &[], 0);
    }

    /// Sends bytes in ordinary segments.
    pub fn send(&mut self, burst: &mut Burst, from: Side, bytes: &[u8]) {
        let mut chunks = bytes.chunks(SEGMENT).peekable();
        while let Some(chunk) = chunks.next() {
            let flags = if chunks.peek().is_none() {
                PSH | ACK
            } else {
                ACK
            };
            self.data(burst, from, flags, chunk, chunk.len() as u64);
        }
    }

    /// Sends `head` and `length` bytes that the mirror cuts; the last segment is whole, so that a reader finds
    /// its place again.
    pub fn bulk(&mut self, burst: &mut Burst, from: Side, head: &[u8], length: u64) {
        let mut left = head.len() as u64 + length;
        let mut shown = head;
        let mut sent = 0_u32;
        let mut filled = head.to_vec();
        while left > 0 {
            let mut take = left.min(LARGE);
            if take == left && take > SEGMENT as u64 {
                take -= 64;
            }
            left -= take;
            let last = left == 0;
            let show = if last {
                usize::try_from(take).unwrap_or(SEGMENT)
            } else {
                shown
                    .len()
                    .max(SHOWN.min(usize::try_from(take).unwrap_or(0)))
            };
            filled.clear();
            filled.extend_from_slice(shown);
            filled.resize(show, 0);
            shown = &[];
            let flags = if last { PSH | ACK } else { ACK };
            self.data(burst, from, flags, &filled, take);
            sent += 1;
            if sent.is_multiple_of(4) && !last {
                self.acknowledge(burst, from.other());
                self.last = Some(from);
            }
        }
    }

    /// An acknowledgement without data.
    pub fn acknowledge(&mut self, burst: &mut Burst, from: Side) {
        self.segment(burst, from, ACK, &[], 0);
    }

    /// Asks whether the other side is still there (RFC 9293 section 3.8.4), and is answered.
    pub fn keep_alive(&mut self, burst: &mut Burst, from: Side) {
        let end = &mut self.ends[from as usize];
        end.sequence = end.sequence.wrapping_sub(1);
        self.segment(burst, from, ACK, &[], 0);
        let end = &mut self.ends[from as usize];
        end.sequence = end.sequence.wrapping_add(1);
        self.segment(burst, from.other(), ACK, &[], 0);
    }

    /// Closes it in order.
    pub fn close(&mut self, burst: &mut Burst, from: Side) {
        self.segment(burst, from, FIN | ACK, &[], 0);
        self.segment(burst, from.other(), FIN | ACK, &[], 0);
        self.segment(burst, from, ACK, &[], 0);
    }

    /// Ends it with a reset.
    pub fn reset(&mut self, burst: &mut Burst, from: Side) {
        self.segment(burst, from, RST | ACK, &[], 0);
    }
}
