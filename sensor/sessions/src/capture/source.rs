//! The medium that a capture is read from.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex},
};

use sensor_facts::lock::lock;

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
    failure: Failure,
}

impl<R> Source<R> {
    pub(super) const fn new(reader: R, failure: Failure) -> Self {
        Self {
            reader,
            begun: false,
            failure,
        }
    }
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
