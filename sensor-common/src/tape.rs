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

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    /// DICOM PDU header, 6 bytes (PS3.8 section 9.3.1), of every PDU but P-DATA-TF.
    DicomPdu = 1,
    /// Fixed part of A-ASSOCIATE-RQ or AC: 68 bytes from the protocol version on.
    DicomAssociate = 2,
    /// An item or a sub-item of an association with its 4-byte header. Of a user identity and of
    /// extended negotiation only the header and the two bytes after it.
    DicomItem = 3,
    /// The four bytes after the header of A-ASSOCIATE-RJ or A-ABORT.
    DicomReason = 4,
    /// Header of a presentation data value that carries a command: length, context id, control.
    DicomPdv = 5,
    /// A command element (group 0000): tag and length (8 bytes), then the value.
    DicomElement = 6,
    /// A command set is complete; no bytes.
    DicomCommandEnd = 7,
    /// A data set is complete: its bytes on the wire (64-bit little-endian), then the context id.
    DicomDataEnd = 8,
    /// An MSH, FHS or BHS segment from its name on, up to field 12, field 8 left empty.
    Hl7Header = 16,
    /// An MSA segment from its name on, up to field 2.
    Hl7Acknowledgement = 17,
    /// An MLLP block is complete: bytes between start and end block (32-bit little-endian).
    Hl7End = 18,
    /// A TLS handshake record with a `ClientHello` or `ServerHello`, cut at [`crate::tls::HELLO_MAX`].
    TlsHello = 24,
    /// ARP: see [`crate::arp::Arp::record`].
    Arp = 40,
    /// DHCP: operation, hardware address, `ciaddr`, `yiaddr`, 15 bytes.
    DhcpHead = 41,
    /// DHCP option 12, host name, at most [`crate::notice::NAME_MAX`] bytes.
    DhcpName = 42,
    /// DHCP option 50, requested address, 4 bytes.
    DhcpRequested = 43,
    /// DHCP option 53, message type, 1 byte.
    DhcpType = 44,
    /// DHCP option 60, vendor class, cut as the name is.
    DhcpVendor = 45,
    /// Multicast DNS: the first label of the name of an address record.
    HostName = 46,
    /// Multicast DNS: the address of the name before, 4 or 16 bytes.
    HostAddress = 47,
    /// The reader lost its place; the next record begins a new protocol unit. No bytes.
    Desync = 32,
}

impl TryFrom<u8> for Tag {
    type Error = u8;

    fn try_from(value: u8) -> Result<Self, u8> {
        Ok(match value {
            1 => Self::DicomPdu,
            2 => Self::DicomAssociate,
            3 => Self::DicomItem,
            4 => Self::DicomReason,
            5 => Self::DicomPdv,
            6 => Self::DicomElement,
            7 => Self::DicomCommandEnd,
            8 => Self::DicomDataEnd,
            16 => Self::Hl7Header,
            17 => Self::Hl7Acknowledgement,
            18 => Self::Hl7End,
            24 => Self::TlsHello,
            32 => Self::Desync,
            40 => Self::Arp,
            41 => Self::DhcpHead,
            42 => Self::DhcpName,
            43 => Self::DhcpRequested,
            44 => Self::DhcpType,
            45 => Self::DhcpVendor,
            46 => Self::HostName,
            47 => Self::HostAddress,
            other => return Err(other),
        })
    }
}

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
