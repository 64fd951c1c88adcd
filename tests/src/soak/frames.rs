//! Frames of floods: valid ones, and ones that no device would send.

use anyhow::{Context, Result};
use etherparse::PacketBuilder;
use std::{fs, path::Path};

/// Ethernet addresses of whoever floods, and of whom.
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
/// Whom: nobody of the hospital.
const TARGET: [u8; 4] = [10, 88, 0, 1];
/// Bytes of TCP payload in a frame at most.
const PAYLOAD: usize = 1_400;
/// Messages of a connection before it is closed.
const MESSAGES: u32 = 100;
/// An HL7 message that is as it has to be, in MLLP.
const MESSAGE: &[u8] =
    b"\x0bMSH|^~\\&|LAB|WARD|EHR|SITE|20260101||ORU^R01|1|P|2.5\rPID|1||FLOOD\r\x1c\r";

/// A datagram of a new flow; the address at [`SOURCE`] and the port at [`PORT`] can be changed in place, since nobody
/// looks at the check sums.
pub(super) fn datagram() -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(MACS[0], MACS[1])
        .ipv4([172, 16, 0, 1], TARGET, 64)
        .udp(40_000, 514)
        .write(&mut frame, &[0; 18])?;
    Ok(frame)
}

/// A request to connect, likewise.
pub(super) fn request() -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(MACS[0], MACS[1])
        .ipv4([172, 16, 0, 1], TARGET, 64)
        .tcp(40_000, 443, 1, 1_000)
        .syn()
        .write(&mut frame, &[])?;
    Ok(frame)
}

/// Where the source address is in a frame of [`datagram`] or [`request`].
const SOURCE: usize = 26;
/// Where the source port is.
const PORT: usize = 34;

/// Gives the frame another source.
pub(super) fn spoof(frame: &mut [u8], number: u64) {
    let [.., port, second, third, fourth, low] = number.to_be_bytes();
    // 172.16.0.0/12 has a million addresses; the rest is in the port.
    frame[SOURCE..SOURCE + 4].copy_from_slice(&[172, 16 | (second & 15), third, fourth]);
    frame[PORT..PORT + 2].copy_from_slice(&[port | 4, low]);
}

/// Random numbers, the same each time (xorshift64*).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A random number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }
}

/// A TCP connection of which the frames of one side are sent.
#[derive(Debug)]
pub(super) struct Connection {
    source: [u8; 4],
    ports: [u16; 2],
    sequence: [u32; 2],
}

impl Connection {
    const fn new(source: [u8; 4], port: u16, service: u16) -> Self {
        Self {
            source,
            ports: [port, service],
            sequence: [1, 1],
        }
    }

    /// One of HL7; the same number has the same ends.
    pub(super) const fn of_hl7(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self::new([10, 91, high, low], 30_000, 2_575)
    }

    /// A message of the client.
    pub(super) fn message(&mut self) -> Result<Vec<u8>> {
        self.segment(MESSAGE, false, false)
    }

    /// Its end, by a reset.
    pub(super) fn end(&mut self) -> Result<Vec<u8>> {
        self.segment(&[], false, true)
    }

    /// A segment; from the server if `back`.
    fn segment(&mut self, payload: &[u8], back: bool, reset: bool) -> Result<Vec<u8>> {
        let mut ends = [self.source, TARGET];
        let mut ports = self.ports;
        if back {
            ends.reverse();
            ports.reverse();
        }
        let sequence = &mut self.sequence[usize::from(back)];
        let mut builder = PacketBuilder::ethernet2(MACS[0], MACS[1])
            .ipv4(ends[0], ends[1], 64)
            .tcp(ports[0], ports[1], *sequence, 1_000)
            .ack(1);
        if reset {
            builder = builder.rst();
        }
        *sequence = sequence.wrapping_add(u32::try_from(payload.len())?);
        let mut frame = Vec::new();
        builder.write(&mut frame, payload)?;
        Ok(frame)
    }
}

/// Messages of DICOM and HL7 that are nearly right: the seeds of the fuzz targets and what the hospital sends, with a few
/// bytes changed, a length that lies, a piece left out, repeated or put elsewhere.
#[derive(Debug)]
pub(super) struct Malformed {
    seeds: [Vec<Vec<u8>>; 2],
    dice: Dice,
    connections: u32,
    left: u32,
    now: Connection,
    dicom: bool,
}

impl Malformed {
    /// `workspace` is the folder in which `fuzz` is; seeds are small numbers.
    pub(super) fn new(workspace: &Path, seed: u32) -> Result<Self> {
        let folder = workspace.join("fuzz/seeds");
        let mut seeds = [vec![association()], vec![MESSAGE.to_vec()]];
        for (all, name) in seeds.iter_mut().zip(["dicom", "hl7"]) {
            let folder = folder.join(name);
            let mut paths: Vec<_> = fs::read_dir(&folder)
                .with_context(|| folder.display().to_string())?
                .flatten()
                .map(|entry| entry.path())
                .collect();
            // A folder has no order.
            paths.sort();
            for path in paths {
                all.push(fs::read(path)?);
            }
        }
        Ok(Self {
            seeds,
            dice: Dice::new(u64::from(seed)),
            // Others than with another seed.
            connections: seed << 16,
            left: 0,
            now: Connection::new([0; 4], 0, 0),
            dicom: false,
        })
    }

    /// The next message as a frame, and the end of its connection where it is the last; true if it was changed.
    pub(super) fn next(&mut self) -> Result<(Vec<u8>, Option<Vec<u8>>, bool)> {
        if self.left == 0 {
            self.connections = self.connections.wrapping_add(1);
            self.dicom = !self.dicom;
            let [_, a, b, c] = self.connections.to_be_bytes();
            let service = if self.dicom { 11_112 } else { 2_575 };
            self.now = Connection::new([10, 90, b, c], 20_000 + u16::from(a), service);
            self.left = MESSAGES;
        }
        let first = self.left == MESSAGES;
        self.left -= 1;
        let seeds = &self.seeds[usize::from(!self.dicom)];
        let mut message = seeds[self.dice.below(seeds.len())].clone();
        // The first is often right, so that the reader of the protocol gets the rest.
        let changed = !first || self.dice.below(4) == 0;
        if changed {
            mutate(&mut message, &mut self.dice);
        }
        message.truncate(PAYLOAD);
        // A hole, now and then.
        if self.dice.below(50) == 0 {
            self.now.sequence[0] = self.now.sequence[0].wrapping_add(7);
        }
        let back = !first && self.dice.below(4) == 0;
        let frame = self.now.segment(&message, back, false)?;
        let end = (self.left == 0).then(|| self.now.end());
        Ok((frame, end.transpose()?, changed))
    }
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let length = bytes.len();
        if length < 8 {
            bytes.extend(dice.next().to_be_bytes());
            continue;
        }
        let at = dice.below(length);
        let end = (at + 1 + dice.below(40)).min(length);
        match dice.below(7) {
            0 => bytes[at] = dice.next().to_le_bytes()[0],
            // A length, of two or four bytes, that is far too long or nothing.
            1 => bytes[at..end.min(at + 4)].fill(0xff),
            2 => bytes[at..end.min(at + 4)].fill(0),
            3 => bytes.truncate(at.max(1)),
            4 => {
                let piece = bytes[at..end].to_vec();
                let to = dice.below(length);
                bytes.splice(to..to, piece);
            }
            5 => {
                bytes.drain(at..end);
            }
            _ => {
                let word = dice.next().to_be_bytes();
                bytes.splice(at..at, word);
            }
        }
    }
}

/// A request for an association.
fn association() -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{:<16}{:<16}", "ARCHIVE", "FLOOD").bytes());
    body.extend([0; 32]);
    body.extend(b"\x10\x00\x00\x151.2.840.10008.3.1.1.1");
    let mut pdu = vec![1, 0];
    pdu.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
    pdu.extend(body);
    pdu
}
