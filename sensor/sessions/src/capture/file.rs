//! Reading capture files: pcap and pcapng, of any size, from a file or a pipe.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    ops::ControlFlow,
    path::Path,
};

use pcap_parser::{PcapError, create_reader, traits::PcapReaderIterator};
use thiserror::Error;

use super::{
    format::{Format, Taken},
    packet::CapturedPacket,
    source::{Failure, Source},
};

/// Read-ahead at first; it grows for longer packets.
const BUFFER: usize = 1 << 20;
/// A packet or block longer than this is taken for damage.
const BUFFER_MAX: usize = 16 << 20;

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
        "{name} has link type {number}, which can't be read; docs/encapsulations.md lists those that can"
    )]
    LinkType {
        /// The file.
        name: String,
        /// Its number.
        number: u32,
    },
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
        let source = Source::new(reader, failure.clone());
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
