//! The tape: what the layer-7 readers let out of the kernel.
//!
//! A tape is a row of records, each a 4-byte header (tag, flags, length as little-endian 16-bit
//! number) and its bytes. A record can continue over several packets: its first piece carries
//! [`FIRST`], its last [`LAST`], and a piece can carry both. Each direction of a connection has a
//! tape of its own. Nothing is on it that the readers do not name: association items and command
//! elements of DICOM, MSH and MSA fields of HL7, TLS hello messages; never a data set, never
//! another segment; and what [`crate::notice`] names.

/// Bytes of a record's header.
pub const RECORD_HEADER: usize = 4;

/// The piece begins its record.
pub const FIRST: u8 = 1;
/// The piece ends its record.
pub const LAST: u8 = 2;
/// Bytes of the record are missing before this piece (loss before the sensor).
pub const HOLE: u8 = 4;

/// Bytes of tape that one event can carry.
pub const CAPACITY: u32 = 2048;
/// Most bytes that one step of a reader copies.
pub const COPY_MAX: u32 = 1024;
/// The tape is handed over before a step when it holds more than this, so that a step always fits.
pub const FLUSH_AT: u32 = CAPACITY - COPY_MAX - 64;
/// Room for the tape: a masked position plus the longest copy, which is what a verifier can prove.
pub const ROOM: usize = (CAPACITY + COPY_MAX) as usize;

pub use crate::registry::Tag;

/// A record, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it holds.
    pub tag: Tag,
    /// [`FIRST`], [`LAST`], [`HOLE`].
    pub flags: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A tape that ends inside a record or names an unknown tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTape {
    /// Where the bad record begins.
    pub offset: usize,
}

/// The records of a tape, in order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    tape: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    /// Reads `tape`.
    #[must_use]
    pub const fn new(tape: &'a [u8]) -> Self {
        Self { tape, offset: 0 }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BadTape>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .tape
            .get(self.offset..)
            .filter(|rest| !rest.is_empty())?;
        let record = (|| {
            let ([tag, flags, low, high], body) = rest.split_first_chunk::<RECORD_HEADER>()?;
            let bytes = body.get(..usize::from(u16::from_le_bytes([*low, *high])))?;
            Some(Record {
                tag: Tag::try_from(*tag).ok()?,
                flags: *flags,
                bytes,
            })
        })();
        let at = self.offset;
        Some(if let Some(record) = record {
            self.offset += RECORD_HEADER + record.bytes.len();
            Ok(record)
        } else {
            self.offset = self.tape.len();
            Err(BadTape { offset: at })
        })
    }
}
