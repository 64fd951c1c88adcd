//! The characters around blocks and segments, and what is kept of a block: its mode, and places in `carry`.

/// MLLP start block character.
pub const START_BLOCK: u8 = 0x0b;
/// MLLP end block character; a carriage return follows it.
pub const END_BLOCK: u8 = 0x1c;
/// MLLP release 2: the content of a block that says that a message was received and is safe.
pub const COMMIT: u8 = 0x06;
/// MLLP release 2: the same, that it was not.
pub const REFUSAL: u8 = 0x15;
/// Segment terminator.
pub(super) const SEGMENT_END: u8 = b'\r';
/// What some senders end segments with instead, or besides. It is never part of a field, so it ends what is
/// copied.
pub(super) const LINE_FEED: u8 = b'\n';

/// Mode: UTF-16.
pub(super) const WIDE: u8 = 1;
/// Mode: UTF-16, little-endian.
pub(super) const LITTLE: u8 = 2;
/// Mode: UTF-16 between start and end block characters of one byte.
pub(super) const NARROW: u8 = 4;
/// Mode: segments end with a line feed.
pub(super) const LINES: u8 = 8;
/// Mode: the message is an acknowledgement, or its MSA may come yet.
pub(super) const MAY_ANSWER: u8 = 16;
/// Mode: MSH-9 says that the message is an acknowledgement.
pub(super) const ACK: u8 = 32;
/// Mode: the block is no message; it is left out.
pub(super) const UNKNOWN: u8 = 64;

/// Place in `carry` of the byte before, where it is half a character.
pub(super) const HALF: usize = 11;
/// Place in `carry` of 1 if the byte before the start block character was zero.
pub(super) const BEFORE: usize = 10;
/// Place in `carry` of 1 after an end block character that was the last byte of a TCP segment, so that nothing shows yet whether
/// a carriage return follows it.
pub(super) const UNSURE: usize = 9;
/// How the characters of a block are written; the next block is likely the same.
pub(super) const WRITING: u8 = WIDE | LITTLE | NARROW;
