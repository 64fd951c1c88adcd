//! The medium that a capture is read from.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex},
};

use sensor_facts::lock::lock;

use super::modified::{MAGIC, Modified, ORDINARY};

/// Why the medium failed; the parser itself keeps no reason.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    fn set(&self, error: io::Error) {
        *lock(&self.0) = Some(error);
    }

    /// Takes the reason.
    pub(super) fn take(&self) -> Option<io::Error> {
        lock(&self.0).take()
    }
}

/// The medium. Its first read gives the whole file header also where a pipe delivers it in pieces,
/// since the parser wants it at once.
pub(super) struct Source<R> {
    reader: R,
    begun: bool,
    modified: Option<Modified>,
    failure: Failure,
}

impl<R> Source<R> {
    pub(super) const fn new(reader: R, failure: Failure) -> Self {
        Self {
            reader,
            begun: false,
            modified: None,
            failure,
        }
    }
}

impl<R: Read> Source<R> {
    /// One read, of which a failure is kept.
    fn once(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure.set(io::Error::from(error.kind()));
                    return Err(error);
                }
                done => return done,
            }
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(mut modified) = self.modified.take() {
            let read = modified.read(|out| self.once(out), out);
            self.modified = Some(modified);
            return read;
        }
        let mut filled = 0;
        loop {
            // Of the file header alone it is known how it is to be read.
            let most = if self.begun || filled >= PCAP_HEADER {
                out.len()
            } else {
                PCAP_HEADER
            };
            match self.once(out.get_mut(filled..most).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) => return Err(error),
            }
            if self.begun || filled >= header_length(out.get(..filled).unwrap_or_default()) {
                break;
            }
        }
        if !self.begun && out.starts_with(&MAGIC) && filled == PCAP_HEADER {
            self.modified = Some(Modified::default());
            if let Some(magic) = out.first_chunk_mut() {
                *magic = ORDINARY;
            }
        }
        self.begun = true;
        Ok(filled)
    }
}

/// Bytes of the file header of pcap.
const PCAP_HEADER: usize = 24;

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
        _ => PCAP_HEADER,
    }
}
