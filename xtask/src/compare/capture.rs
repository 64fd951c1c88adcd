//! A capture repeated, each time later by its length.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};

/// A classic pcap file, little-endian with microseconds (<https://www.tcpdump.org/manpages/pcap-savefile.5.html>).
const MAGIC: [u8; 4] = [0xd4, 0xc3, 0xb2, 0xa1];
const HEADER: usize = 24;
const RECORD: usize = 16;

/// Writes the capture so many times; the packets written.
///
/// # Errors
/// When it is of another format or cut, or the file can't be written.
pub(super) fn repeat(from: &Path, times: u32, to: &Path) -> Result<u64> {
    let bytes = fs::read(from).with_context(|| from.display().to_string())?;
    ensure!(
        bytes.starts_with(&MAGIC) && bytes.len() >= HEADER,
        "{} is no pcap file with microseconds, written on a little-endian machine",
        from.display()
    );
    let (header, records) = bytes.split_at(HEADER);
    let (first, last) = (read(records, 0), end(records)?);
    let length = last
        .checked_sub(first)
        .context("its packets are not in order")?
        + 1;
    let mut out = BufWriter::new(File::create(to).with_context(|| to.display().to_string())?);
    out.write_all(header)?;
    let mut packets = 0;
    for time in 0..times {
        let mut at = 0;
        while at < records.len() {
            let record = size(records, at);
            let second = read(records, at) + time * length;
            out.write_all(&second.to_le_bytes())?;
            out.write_all(&records[at + 4..at + record])?;
            at += record;
            packets += 1;
        }
    }
    out.flush()?;
    Ok(packets)
}

fn read(records: &[u8], at: usize) -> u32 {
    let bytes = records
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

fn size(records: &[u8], at: usize) -> usize {
    RECORD + read(records, at + 8) as usize
}

/// The latest second; the records are whole.
fn end(records: &[u8]) -> Result<u32> {
    let (mut at, mut last) = (0, 0);
    while at < records.len() {
        ensure!(
            at + size(records, at) <= records.len(),
            "it is cut at its end"
        );
        last = last.max(read(records, at));
        at += size(records, at);
    }
    Ok(last)
}
