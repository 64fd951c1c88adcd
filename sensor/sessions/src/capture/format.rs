//! The blocks of pcap and pcapng: what each says of packets, its own and those that follow.

use pcap_parser::{
    Block, InterfaceDescriptionBlock, Linktype, PcapBlockOwned, traits::PcapNGPacketBlock,
};

use super::{link::Link, packet::CapturedPacket};

/// The obsolete packet block of pcapng (draft-ietf-opsawg-pcapng appendix A).
const OBSOLETE_PACKET: u32 = 2;

/// What a block is to the reader.
pub(super) enum Taken<'a> {
    Packet(CapturedPacket<'a>),
    Skipped(Option<u32>),
    Refused(u32),
    Nothing,
}

/// What the blocks so far say of those that follow.
#[derive(Default)]
pub(super) struct Format {
    /// Nanoseconds of a tick of a pcap file.
    unit: u64,
    link: Option<Link>,
    interfaces: Vec<Interface>,
    big_endian: bool,
    /// Time of the last packet, for those that have none.
    last: u64,
}

impl Format {
    /// What `block` is, which begins at byte `offset`.
    pub(super) fn take<'a>(&mut self, block: &PcapBlockOwned<'a>, offset: u64) -> Taken<'a> {
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
            // The parser reads the type of a block that it does not know as little-endian, always.
            Block::Unknown(other)
                if other.block_type
                    == if self.big_endian {
                        OBSOLETE_PACKET.swap_bytes()
                    } else {
                        OBSOLETE_PACKET
                    } =>
            {
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
