//! The modified pcap format of Linux before 2000, whose packet headers have eight bytes more, in big-endian byte order; the
//! parser reads only the little-endian one.

use std::io::{self, Read};

/// How a file of it begins.
pub(super) const MAGIC: [u8; 4] = [0xa1, 0xb2, 0xcd, 0x34];
/// The same for the ordinary format.
pub(super) const ORDINARY: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];

/// Bytes of a packet's header, and of one in the ordinary format, which is its beginning.
const HEADER: usize = 24;
const KEPT: usize = 16;

/// Makes the ordinary format of what comes after the file header.
#[derive(Default)]
pub(super) struct Modified {
    /// The packet header, as far as it was read.
    header: Vec<u8>,
    /// Bytes of the header that were not handed out yet.
    waiting: usize,
    /// Bytes of the packet that were not handed out yet.
    data: usize,
}

impl Modified {
    /// As [`Read::read`] of the ordinary format; `source` gives the modified one.
    pub(super) fn read(
        &mut self,
        mut source: impl FnMut(&mut [u8]) -> io::Result<usize>,
        out: &mut [u8],
    ) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.waiting == 0 && self.data == 0 {
            self.header.clear();
            let mut bytes = [0; HEADER];
            while self.header.len() < HEADER {
                let left = HEADER - self.header.len();
                let read = source(bytes.get_mut(..left).unwrap_or_default())?;
                self.header.extend(bytes.iter().take(read));
                if read == 0 {
                    break;
                }
            }
            self.waiting = self.header.len().min(KEPT);
            if let Some([.., c0, c1, c2, c3]) = self.header.first_chunk::<12>()
                && self.header.len() == HEADER
            {
                self.data = u32::from_be_bytes([*c0, *c1, *c2, *c3]) as usize;
            }
        }
        if self.waiting > 0 {
            let from = self.header.len().min(KEPT) - self.waiting;
            let mut rest = self
                .header
                .get(from..from + self.waiting)
                .unwrap_or_default();
            let read = rest.read(out)?;
            self.waiting -= read;
            return Ok(read);
        }
        let most = self.data.min(out.len());
        let read = source(out.get_mut(..most).unwrap_or_default())?;
        self.data = if read == 0 { 0 } else { self.data - read };
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_shorter_however_they_are_read() -> io::Result<()> {
        let mut file = Vec::new();
        let mut right = Vec::new();
        for length in [0_u8, 3, 40] {
            let kept = [&[0; 8][..], &[0, 0, 0, length], &[0, 0, 0, 99]].concat();
            let data = vec![length; usize::from(length)];
            file.extend([&kept, &[0xee; 8][..], &data].concat());
            right.extend([kept, data].concat());
        }
        for (piece, room) in [(1, 1), (7, 5), (100, 100), (3, 64)] {
            let (mut modified, mut rest) = (Modified::default(), &file[..]);
            let mut read: Vec<u8> = Vec::new();
            let mut out = vec![0; room];
            loop {
                let source = |out: &mut [u8]| {
                    let most = out.len().min(piece);
                    rest.read(&mut out[..most])
                };
                let more = modified.read(source, &mut out)?;
                if more == 0 {
                    break;
                }
                read.extend(&out[..more]);
            }
            assert_eq!(read, right);
        }
        Ok(())
    }
}
