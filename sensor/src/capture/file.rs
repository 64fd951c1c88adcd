//! Reading capture files: pcap and pcapng, of any size, from a file or a pipe.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use pcap_parser::{
    Block, InterfaceDescriptionBlock, Linktype, PcapBlockOwned, PcapError, create_reader,
    traits::{PcapNGPacketBlock, PcapReaderIterator},
};
use thiserror::Error;

use super::link::Link;

/// Read-ahead at first; it grows for longer packets.
const BUFFER: usize = 1 << 20;
/// A packet or block longer than this is taken for damage.
const BUFFER_MAX: usize = 16 << 20;
/// The obsolete packet block of pcapng (its specification, appendix A).
const OBSOLETE_PACKET: u32 = 2;

/// Why a capture can't be read at all.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// It can't be opened.
    #[error("can't open {name}: {source}")]
    Open {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("can't read {name} at byte {offset}: {source}")]
    Read {
        /// The file.
        name: String,
        /// Where.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// Neither pcap nor pcapng.
    #[error("{name} is no capture file: it begins neither like pcap nor like pcapng")]
    Format {
        /// The file.
        name: String,
    },
    /// It ends or breaks before the first packet.
    #[error("{name} is damaged at byte {offset}, before its first packet")]
    Damaged {
        /// The file.
        name: String,
        /// Where.
        offset: u64,
    },
    /// Packets of a kind that is not read.
    #[error(
        "{name} has link type {number}, which can't be read; readable are Ethernet (1), IP (12, 14, 101, \
         228, 229), loopback (0, 108) and Linux cooked captures (113, 276)"
    )]
    LinkType {
        /// The file.
        name: String,
        /// Its number.
        number: u32,
    },
}

/// A packet of a capture.
#[derive(Clone, Copy, Debug)]
pub struct CapturedPacket<'a> {
    /// Its link type.
    pub link: Link,
    /// Number of its interface in the file, from 0.
    pub interface: u32,
    /// When it was captured, nanoseconds since 1970.
    pub time: u64,
    /// Its bytes as far as they were captured.
    pub bytes: &'a [u8],
    /// Bytes of the file before it.
    pub offset: u64,
}

/// How the reading of a capture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All was read.
    Complete,
    /// The file ends inside the packet or block that begins at this byte.
    Cut(u64),
    /// What begins at this byte is no packet and no block.
    Damaged(u64),
    /// The reader was told to stop.
    Stopped,
}

/// What was read of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Packets handed over.
    pub packets: u64,
    /// Packets left out because their interface has a link type that is not read, by its number; none for
    /// packets of an interface that the file does not describe.
    pub skipped: BTreeMap<Option<u32>, u64>,
    /// How it ended.
    pub ending: Ending,
}

/// An interface as pcapng describes it.
#[derive(Clone, Copy, Debug)]
struct Interface {
    number: u32,
    link: Option<Link>,
    snap_length: u32,
    /// Ticks a second.
    resolution: u64,
    /// Seconds.
    offset: i64,
}

/// A capture file, opened.
pub struct CaptureFile {
    name: String,
    size: Option<u64>,
    reader: Box<dyn PcapReaderIterator + Send>,
    failure: Failure,
}

impl CaptureFile {
    /// Opens a capture; `-` is the standard input.
    ///
    /// # Errors
    /// [`CaptureError`] says why not.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path == Path::new("-") {
            return Self::from_reader("the standard input", None, io::stdin());
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| CaptureError::Open {
            name: name.clone(),
            source,
        })?;
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file);
        Self::from_reader(&name, metadata.map(|metadata| metadata.len()), file)
    }

    /// Reads a capture from anywhere; `name` is for messages, `size` in bytes where it is known.
    ///
    /// # Errors
    /// As [`CaptureFile::open`].
    pub fn from_reader(
        name: &str,
        size: Option<u64>,
        reader: impl Read + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let failure = Failure::default();
        let source = Source {
            reader,
            begun: false,
            failure: failure.clone(),
        };
        match create_reader(BUFFER, source) {
            Ok(reader) => Ok(Self {
                name: name.to_owned(),
                size,
                reader,
                failure,
            }),
            Err(_) => Err(match failure.take() {
                Some(source) => CaptureError::Read {
                    name: name.to_owned(),
                    offset: 0,
                    source,
                },
                None => CaptureError::Format {
                    name: name.to_owned(),
                },
            }),
        }
    }

    /// Bytes of the file, where they are known.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Hands over the packets in the order of the file, until `on` breaks.
    ///
    /// # Errors
    /// [`CaptureError`], if nothing of the capture can be read or the medium fails.
    pub fn read<F>(mut self, mut on: F) -> Result<Reading, CaptureError>
    where
        F: FnMut(CapturedPacket<'_>) -> ControlFlow<()>,
    {
        let mut format = Format::default();
        let mut capacity = BUFFER;
        let mut packets = 0;
        let mut skipped = BTreeMap::new();
        let ending = loop {
            let offset = self.reader.consumed() as u64;
            match self.reader.next() {
                Ok((length, block)) => {
                    match format.take(&block, offset) {
                        Taken::Packet(packet) => {
                            packets += 1;
                            if on(packet).is_break() {
                                break Ending::Stopped;
                            }
                        }
                        Taken::Skipped(number) => *skipped.entry(number).or_default() += 1,
                        Taken::Refused(number) => {
                            return Err(CaptureError::LinkType {
                                name: self.name,
                                number,
                            });
                        }
                        Taken::Nothing => {}
                    }
                    self.reader.consume(length);
                }
                Err(PcapError::Eof) => break Ending::Complete,
                Err(PcapError::Incomplete(_)) => {
                    let _ = self.reader.refill();
                    if let Some(source) = self.failure.take() {
                        return Err(CaptureError::Read {
                            name: self.name,
                            offset,
                            source,
                        });
                    }
                }
                Err(PcapError::BufferTooSmall) if capacity < BUFFER_MAX => {
                    capacity *= 2;
                    self.reader.grow(capacity);
                }
                Err(PcapError::UnexpectedEof) => {
                    break if self.reader.data().is_empty() {
                        Ending::Complete
                    } else {
                        Ending::Cut(offset)
                    };
                }
                Err(_) => break Ending::Damaged(offset),
            }
        };
        if packets == 0 {
            if let Ending::Cut(offset) | Ending::Damaged(offset) = ending {
                return Err(CaptureError::Damaged {
                    name: self.name,
                    offset,
                });
            }
            if let Some(number) = skipped.keys().flatten().next() {
                return Err(CaptureError::LinkType {
                    name: self.name,
                    number: *number,
                });
            }
        }
        Ok(Reading {
            packets,
            skipped,
            ending,
        })
    }
}

/// What a block is to the reader.
enum Taken<'a> {
    Packet(CapturedPacket<'a>),
    Skipped(Option<u32>),
    Refused(u32),
    Nothing,
}

/// What the blocks so far say of those that follow.
#[derive(Default)]
struct Format {
    /// Nanoseconds of a tick of a pcap file.
    unit: u64,
    link: Option<Link>,
    interfaces: Vec<Interface>,
    big_endian: bool,
    /// Time of the last packet, for those that have none.
    last: u64,
}

impl Format {
    fn take<'a>(&mut self, block: &PcapBlockOwned<'a>, offset: u64) -> Taken<'a> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.unit = if header.is_nanosecond_precision() {
                    1
                } else {
                    1_000
                };
                let Linktype(field) = header.network;
                let number = field.cast_unsigned();
                // The upper bits tell the length of the frame check sequence; bits 16 to 25 are
                // reserved (draft-ietf-opsawg-pcap section 4).
                let linktype = if number & 0x03ff_0000 == 0 {
                    number & 0xffff
                } else {
                    number
                };
                self.link = Link::from_number(linktype);
                if self.link.is_none() {
                    return Taken::Refused(linktype);
                }
                Taken::Nothing
            }
            PcapBlockOwned::Legacy(packet) => {
                let Some(link) = self.link else {
                    return Taken::Skipped(None);
                };
                let time = u64::from(packet.ts_sec) * 1_000_000_000
                    + u64::from(packet.ts_usec) * self.unit;
                Taken::Packet(CapturedPacket {
                    link,
                    interface: 0,
                    time,
                    bytes: packet.data,
                    offset,
                })
            }
            PcapBlockOwned::NG(block) => self.block(block, offset),
        }
    }

    fn block<'a>(&mut self, block: &Block<'a>, offset: u64) -> Taken<'a> {
        match block {
            Block::SectionHeader(section) => {
                self.interfaces.clear();
                self.big_endian = section.big_endian();
                Taken::Nothing
            }
            Block::InterfaceDescription(description) => {
                self.interfaces.push(Interface::new(description));
                Taken::Nothing
            }
            Block::EnhancedPacket(packet) => {
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let data = cut(packet.data, packet.caplen);
                self.packet(packet.if_id, Some(ticks), data, offset)
            }
            Block::SimplePacket(packet) => {
                let snap_length = self.interfaces.first().map_or(0, |i| i.snap_length);
                let limit = match snap_length {
                    0 => packet.orig_len(),
                    snap_length => packet.orig_len().min(snap_length),
                };
                self.packet(0, None, cut(packet.data, limit), offset)
            }
            Block::Unknown(other) if other.block_type == OBSOLETE_PACKET => {
                let Some((head, data)) = other.data.split_first_chunk::<20>() else {
                    return Taken::Nothing;
                };
                let (words, _) = head.as_chunks::<4>();
                let number = |index: usize| {
                    let word = words.get(index).copied().unwrap_or_default();
                    if self.big_endian {
                        u32::from_be_bytes(word)
                    } else {
                        u32::from_le_bytes(word)
                    }
                };
                // The first word is two numbers of 16 bits: interface and drops.
                let interface = if self.big_endian {
                    number(0) >> 16
                } else {
                    number(0) & 0xffff
                };
                let ticks = u64::from(number(1)) << 32 | u64::from(number(2));
                let data = cut(data, number(3));
                self.packet(interface, Some(ticks), data, offset)
            }
            _ => Taken::Nothing,
        }
    }

    fn packet<'a>(
        &mut self,
        interface: u32,
        ticks: Option<u64>,
        bytes: &'a [u8],
        offset: u64,
    ) -> Taken<'a> {
        let Some(described) = self.interfaces.get(interface as usize) else {
            return Taken::Skipped(None);
        };
        let Some(link) = described.link else {
            return Taken::Skipped(Some(described.number));
        };
        if let Some(ticks) = ticks {
            self.last = described.time(ticks);
        }
        Taken::Packet(CapturedPacket {
            link,
            interface,
            time: self.last,
            bytes,
            offset,
        })
    }
}

/// The captured bytes without what pads them.
fn cut(data: &[u8], length: u32) -> &[u8] {
    data.get(..length as usize).unwrap_or(data)
}

impl Interface {
    fn new(description: &InterfaceDescriptionBlock<'_>) -> Self {
        let Linktype(number) = description.linktype;
        let number = number.cast_unsigned();
        Self {
            number,
            link: Link::from_number(number),
            snap_length: description.snaplen,
            resolution: description
                .ts_resolution()
                .filter(|ticks| *ticks > 0)
                .unwrap_or(1_000_000),
            offset: description.ts_offset(),
        }
    }

    /// Nanoseconds since 1970.
    fn time(&self, ticks: u64) -> u64 {
        let time = match self.resolution {
            1_000_000_000 => i128::from(ticks),
            1_000_000 => i128::from(ticks) * 1_000,
            resolution => i128::from(ticks) * 1_000_000_000 / i128::from(resolution),
        };
        let time = time + i128::from(self.offset) * 1_000_000_000;
        u64::try_from(time.max(0)).unwrap_or(u64::MAX)
    }
}

/// Why the medium failed; the parser itself keeps no reason.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The medium. Its first read gives the whole file header also where a pipe delivers it in pieces,
/// since the parser wants it at once.
struct Source<R> {
    reader: R,
    begun: bool,
    failure: Failure,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.reader.read(out.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failure.set(io::Error::from(error.kind()));
                    return Err(error);
                }
            }
            if self.begun || filled >= header_length(out.get(..filled).unwrap_or_default()) {
                break;
            }
        }
        self.begun = true;
        Ok(filled)
    }
}

/// Bytes of the file header whose beginning is `bytes`: of pcap 24, of pcapng the length that its first
/// block names.
fn header_length(bytes: &[u8]) -> usize {
    const LONGEST: usize = 1 << 16;
    match bytes {
        [0x0a, 0x0d, 0x0d, 0x0a, length @ ..] => match length {
            [l0, l1, l2, l3, magic, ..] => {
                let length = [*l0, *l1, *l2, *l3];
                let length = if *magic == 0x4d {
                    u32::from_le_bytes(length)
                } else {
                    u32::from_be_bytes(length)
                };
                (length as usize).min(LONGEST)
            }
            _ => 12,
        },
        _ => 24,
    }
}
