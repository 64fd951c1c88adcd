//! What one CPU works with while it processes a packet: one map element, so one look-up a packet.

use crate::{
    bytes::Frame,
    contain::Keys,
    counter::{Counter, Counters},
    event::{Chunk, ChunkHeader},
    flow::Flow,
    layer7::Work,
    notice::{Budget, Notice},
    packet::{Packet, Pieces},
    registry::Tag,
    tape::{self, FIRST, LAST, RECORD_HEADER},
};

/// Counters and scratch memory of one CPU (for one interface). Zero bytes are a valid start.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Cpu {
    /// Counters.
    pub counters: Counters,
    /// The packet.
    pub packet: Packet,
    /// The packet's way through a layer-7 reader.
    pub work: Work,
    /// The chunk being built.
    pub chunk: Chunk,
    /// A flow entry being made.
    pub new_flow: Flow,
    /// Keys of containment's look-ups.
    pub keys: Keys,
    /// A notice being made.
    pub notice: Notice,
    /// Packets of which fragments are awaited.
    pub pieces: Pieces,
    /// Clinical flows without proof that may still be taken among the established ones.
    pub unproven: Budget,
}

impl Cpu {
    /// At rest.
    pub const EMPTY: Self = Self {
        counters: Counters::ZERO,
        packet: Packet::EMPTY,
        work: Work::EMPTY,
        chunk: Chunk {
            header: ChunkHeader::EMPTY,
            tape: [0; tape::ROOM],
        },
        new_flow: Flow::EMPTY,
        keys: Keys::EMPTY,
        notice: Notice::EMPTY,
        pieces: Pieces::NONE,
        unproven: Budget::EMPTY,
    };

    /// Joins a fragment to those before it.
    #[inline(always)]
    pub fn join<F: Frame>(&mut self, frame: &F) {
        if self.pieces.take(frame, &mut self.packet) {
            self.counters.count(Counter::FragmentJoined);
        }
    }

    /// Writes a whole record, or a first piece, of `N` bytes.
    #[inline(always)]
    pub(crate) fn record<const N: usize>(&mut self, tag: Tag, flags: u8, bytes: [u8; N]) {
        const { assert!(N <= tape::COPY_MAX as usize) };
        let at = self.record_header(tag as u8, flags, N as u32);
        let mut number = 0;
        while number < N {
            self.chunk.tape[at + number] = bytes[number];
            number += 1;
        }
        self.work.tape_len += N as u32;
    }

    /// Writes the header of a piece of `length` bytes; where these go.
    ///
    /// There is one place, and constant distances from it, so that the verifier follows one bound and not one a byte.
    #[inline(always)]
    pub(crate) fn record_header(&mut self, tag: u8, flags: u8, length: u32) -> usize {
        // As in `put`; behind it there is room for the longest copy.
        let at = (self.work.tape_len & (tape::CAPACITY - 1)) as usize;
        let [low, high, ..] = length.to_le_bytes();
        self.chunk.tape[at] = tag;
        self.chunk.tape[at + 1] = flags;
        self.chunk.tape[at + 2] = low;
        self.chunk.tape[at + 3] = high;
        self.work.tape_len += RECORD_HEADER as u32;
        at + RECORD_HEADER
    }

    /// Sets the length of the piece that began at `start` to what was pushed since, and its flags.
    #[inline(always)]
    pub(crate) fn finish_piece(&mut self, start: u32, flags: u8) {
        let length = self
            .work
            .tape_len
            .wrapping_sub(start + RECORD_HEADER as u32);
        let [low, high, ..] = length.to_le_bytes();
        self.put(start + 1, flags);
        self.put(start + 2, low);
        self.put(start + 3, high);
    }

    /// Appends a byte to the tape.
    #[inline(always)]
    pub(crate) fn push(&mut self, byte: u8) {
        self.put(self.work.tape_len, byte);
        self.work.tape_len += 1;
    }

    #[inline(always)]
    fn put(&mut self, at: u32, byte: u8) {
        // The mask proves the bound to the verifier; `FLUSH_AT` keeps it from ever wrapping.
        self.chunk.tape[(at & (tape::CAPACITY - 1)) as usize] = byte;
    }

    /// Writes a piece of `length` bytes from the frame, at most [`tape::COPY_MAX`].
    #[inline(always)]
    pub(crate) fn copy_piece<F: Frame>(
        &mut self,
        frame: &F,
        tag: u8,
        flags: u8,
        position: u32,
        length: u32,
    ) {
        self.record_header(tag, flags, length);
        self.copy(frame, position, length);
    }

    /// Appends `length` bytes from the frame to the tape, at most [`tape::COPY_MAX`].
    #[inline(always)]
    fn copy<F: Frame>(&mut self, frame: &F, position: u32, length: u32) {
        let at = self.work.tape_len & (tape::CAPACITY - 1);
        frame.copy(position, length, &mut self.chunk.tape, at);
        self.work.tape_len += length;
    }

    /// Writes a record of `length` bytes from the frame and the source of the Ethernet header after them. It goes from the
    /// frame to the tape without the stack, of which there is little.
    #[inline(always)]
    pub(crate) fn copy_with_sender<F: Frame>(
        &mut self,
        frame: &F,
        tag: Tag,
        position: u32,
        length: u32,
    ) {
        self.record_header(tag as u8, FIRST | LAST, length + 6);
        self.copy(frame, position, length);
        for byte in self.packet.macs.source() {
            self.push(byte);
        }
    }
}
