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

/// A second in microseconds.
const SECOND: u64 = 1_000_000;

/// Writes the capture so many times; the packets written. One that is made of several, whose clocks do not follow each
/// other, gets a clock of its own, in which no two packets are more than a second apart.
///
/// # Errors
/// When it is of another format or cut, its times go beyond the format, or the file can't be written.
pub(super) fn repeat(from: &Path, times: u32, to: &Path) -> Result<u64> {
    let bytes = fs::read(from).with_context(|| from.display().to_string())?;
    ensure!(
        bytes.starts_with(&MAGIC) && bytes.len() >= HEADER,
        "{} is no pcap file with microseconds, written on a little-endian machine",
        from.display()
    );
    let (header, records) = bytes.split_at(HEADER);
    let records = split(records)?;
    let clock = clock(&records);
    let (first, last) = (clock.iter().min(), clock.iter().max());
    let length = match (first, last) {
        (Some(first), Some(last)) => (last - first) / SECOND + 1,
        _ => 0,
    };
    let mut out = BufWriter::new(File::create(to).with_context(|| to.display().to_string())?);
    out.write_all(header)?;
    let mut packets = 0;
    for turn in 0..u64::from(times) {
        for (record, time) in records.iter().zip(&clock) {
            let time = time + turn * length * SECOND;
            let second = u32::try_from(time / SECOND).context("its times go beyond the format")?;
            let micros = u32::try_from(time % SECOND)?;
            out.write_all(&second.to_le_bytes())?;
            out.write_all(&micros.to_le_bytes())?;
            out.write_all(&record[8..])?;
            packets += 1;
        }
    }
    out.flush()?;
    Ok(packets)
}

/// The records, each with its header.
fn split(mut records: &[u8]) -> Result<Vec<&[u8]>> {
    let mut all = Vec::new();
    while !records.is_empty() {
        let length = RECORD + read(records, 8) as usize;
        let cut = "it is cut at its end";
        let (record, rest) = records.split_at_checked(length).context(cut)?;
        all.push(record);
        records = rest;
    }
    Ok(all)
}

/// The times of the records, microseconds.
fn clock(records: &[&[u8]]) -> Vec<u64> {
    let time = |record: &[u8]| u64::from(read(record, 0)) * SECOND + u64::from(read(record, 4));
    let mut times: Vec<u64> = records.iter().map(|record| time(record)).collect();
    if times.windows(2).all(|pair| pair[0] <= pair[1] + SECOND) {
        return times;
    }
    let mut before = times.first().copied().unwrap_or_default();
    let mut now = before;
    for time in &mut times {
        now += time.saturating_sub(before).min(SECOND);
        before = *time;
        *time = now;
    }
    times
}

fn read(record: &[u8], at: usize) -> u32 {
    let bytes = record
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}
