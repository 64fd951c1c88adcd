//! The thread that writes.

use std::{
    fs::File,
    io::{self, Write},
    mem,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, Instant},
};

use super::{Shared, Target, lock};
use crate::event::Event;

/// Bytes of lines that are written at once.
const BUFFER: usize = 64 * 1024;
/// Between two tries to write after a failure, and between two looks at what was asked for.
const RETRY: Duration = Duration::from_millis(250);

/// The thread's side.
pub(super) struct Writer {
    file: File,
    /// A file that can be cut; of a pipe a line that was begun must be finished instead.
    regular: bool,
    target: Target,
    /// Whole lines not yet written; of a pipe the first can be the rest of a line.
    buffer: Vec<u8>,
    lines: u64,
    /// The buffer begins within a line, whose beginning a pipe has taken.
    begun: bool,
    failed: Option<Instant>,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(file: File, target: Target, shared: Arc<Shared>) -> Self {
        *lock(&shared.target) = target.to_string();
        Self {
            regular: is_regular(&file),
            file,
            target,
            buffer: Vec::with_capacity(2 * BUFFER),
            lines: 0,
            begun: false,
            failed: None,
            shared,
        }
    }

    pub(super) fn run(&mut self, queue: &Receiver<Box<Event>>) {
        loop {
            self.reopen();
            self.retry();
            let event = match queue.try_recv() {
                Ok(event) => Some(event),
                Err(TryRecvError::Empty) => {
                    self.write();
                    match queue.recv_timeout(RETRY) {
                        Ok(event) => Some(event),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
                Err(TryRecvError::Disconnected) => break,
            };
            if let Some(event) = event {
                self.take(&event);
            }
        }
        self.failed = None;
        self.write();
        // Nothing will write these any more.
        let left = mem::take(&mut self.lines);
        self.shared.write_error.fetch_add(left, Ordering::Relaxed);
    }

    fn take(&mut self, event: &Event) {
        if self.failed.is_some() {
            self.shared.write_error.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = self.buffer.len();
        if serde_json::to_writer(&mut self.buffer, event).is_err() {
            self.buffer.truncate(before);
            self.shared.write_error.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.buffer.push(b'\n');
        self.lines += 1;
        if self.buffer.len() >= BUFFER {
            self.write();
        }
    }

    fn retry(&mut self) {
        if self.failed.is_some_and(|at| at.elapsed() >= RETRY) {
            self.failed = None;
            self.write();
        }
    }

    fn reopen(&mut self) {
        let Some(target) = lock(&self.shared.reopen).take() else {
            return;
        };
        self.write();
        match target.open() {
            Ok(file) => {
                if mem::take(&mut self.begun) {
                    let end = self.buffer.iter().position(|byte| *byte == b'\n');
                    self.buffer.drain(..end.map_or(0, |at| at + 1));
                    self.lines = self.lines.saturating_sub(1);
                    self.shared.write_error.fetch_add(1, Ordering::Relaxed);
                }
                self.regular = is_regular(&file);
                self.file = file;
                *lock(&self.shared.target) = target.to_string();
                self.target = target;
                self.failed = None;
                tracing::info!(target = %self.target, "events go to the reopened output");
            }
            Err(error) => tracing::error!(
                old = %self.target,
                "can't reopen the output as {target}: {error}; the old one stays in use"
            ),
        }
    }

    /// Writes the buffer.
    fn write(&mut self) {
        if self.failed.is_some() || self.buffer.is_empty() {
            return;
        }
        let mut written = 0;
        let result = loop {
            match self.buffer.get(written..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.file.write(rest) {
                    Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Err(error),
                },
            }
        };
        let done = self.buffer.get(..written).unwrap_or_default();
        let lines = done.split(|byte| *byte == b'\n').skip(1).count() as u64;
        if result.is_err() && self.regular {
            // The part of a line at the end is taken back, and written again with the rest.
            let whole = done
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            if cut(&self.file, (written - whole) as u64).is_ok() {
                written = whole;
            }
        }
        if let Some(last) = written.checked_sub(1).and_then(|at| self.buffer.get(at)) {
            self.begun = *last != b'\n';
        }
        self.buffer.drain(..written);
        self.lines -= lines.min(self.lines);
        self.shared.lines.fetch_add(lines, Ordering::Relaxed);
        self.shared
            .bytes
            .fetch_add(written as u64, Ordering::Relaxed);
        match result {
            Ok(()) => self.works(),
            Err(error) => self.fails(&error),
        }
    }

    fn works(&mut self) {
        if lock(&self.shared.failing).take().is_some() {
            let dropped = self.shared.write_error.load(Ordering::Relaxed);
            tracing::warn!(target = %self.target, dropped, "events are written again");
        }
    }

    fn fails(&mut self, error: &io::Error) {
        self.failed = Some(Instant::now());
        self.shared.errors.fetch_add(1, Ordering::Relaxed);
        let mut failing = lock(&self.shared.failing);
        if failing.is_none() {
            tracing::error!(
                target = %self.target,
                "can't write events: {error}; they are dropped and counted until it works again"
            );
        }
        *failing = Some(error.to_string());
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

/// Takes `count` bytes off the end of a file.
fn cut(file: &File, count: u64) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(count))
}
