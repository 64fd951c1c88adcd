//! Finding and reading the captures that the tests run against. They are not part of the project: where
//! they are missing, a test says so and passes.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pcap_parser::{Block, PcapBlockOwned, create_reader};

/// The captures' folder: `WARDTAP_CAPTURES`, or `../shared/captures` beside the workspace.
pub(crate) fn root() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let root = env::var_os("WARDTAP_CAPTURES").map_or(beside, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    println!(
        "SKIPPED: no captures at {} (set WARDTAP_CAPTURES)",
        root.display()
    );
    None
}

/// Capture files below `folder`, in order.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| {
                [
                    "pcap",
                    "pcapng",
                    "cap",
                    "ntar",
                    "pcapng-le",
                    "trace",
                    "dump",
                    "dmp",
                ]
                .iter()
                .any(|known| e.eq_ignore_ascii_case(known))
            }) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Capture files whose packets are Ethernet frames.
pub(crate) fn ethernet(root: &Path) -> Vec<PathBuf> {
    below(root)
        .into_iter()
        .filter(|path| !frames(path).is_empty())
        .collect()
}

/// Link type of Ethernet.
pub(crate) const ETHERNET: i32 = 1;
/// Link type of the BSD loopback: four bytes of address family, then an IP packet.
pub(crate) const LOOPBACK: i32 = 0;

/// The Ethernet frames of a capture with their times in nanoseconds; none of a file that is no capture
/// or of another link type. What follows a damaged block is left out.
pub(crate) fn frames(path: &Path) -> Vec<(u64, Vec<u8>)> {
    packets(path, ETHERNET)
}

/// The same for any link type.
pub(crate) fn packets(path: &Path, link_type: i32) -> Vec<(u64, Vec<u8>)> {
    let bytes = fs::read(path).unwrap();
    let mut frames = Vec::new();
    let Ok(mut reader) = create_reader(1 << 20, &bytes[..]) else {
        return frames;
    };
    let mut unit = 1_000;
    let mut interfaces: Vec<(i32, u64, u64)> = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        if header.network.0 != link_type {
                            return Vec::new();
                        }
                        unit = if header.is_nanosecond_precision() {
                            1
                        } else {
                            1_000
                        };
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        let time = u64::from(packet.ts_sec) * 1_000_000_000
                            + u64::from(packet.ts_usec) * unit;
                        frames.push((time, packet.data.to_vec()));
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        let resolution = interface.ts_resolution().unwrap_or(1_000_000);
                        interfaces.push((
                            interface.linktype.0,
                            resolution,
                            interface.ts_offset().cast_unsigned(),
                        ));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let interface = interfaces.get(packet.if_id as usize);
                        if let Some((_, resolution, _)) =
                            interface.filter(|(link, ..)| *link == link_type)
                        {
                            let ticks =
                                u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
                            let time = ticks * 1_000_000_000 / u128::from(*resolution).max(1);
                            let length = (packet.caplen as usize).min(packet.data.len());
                            frames.push((
                                u64::try_from(time).unwrap_or(0),
                                packet.data[..length].to_vec(),
                            ));
                        }
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(offset);
            }
            Err(pcap_parser::PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    return frames;
                }
            }
            Err(_) => return frames,
        }
    }
}
