//! A receiver of syslog that can stop reading, break off and be gone.

use std::{
    collections::HashSet,
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use nix::sys::socket::{setsockopt, sockopt::RcvBuf};

use crate::netns::Namespace;

/// Where it listens, in the sensor's namespace.
pub(super) const ADDRESS: &str = "127.0.0.1:6514";
/// Bytes that the kernel takes before they are read.
const BUFFER: usize = 1 << 19;
const PAUSE: Duration = Duration::from_millis(20);

/// How the receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mode {
    /// It reads all messages.
    Reads,
    /// Keeps the connection and reads nothing.
    Stalls,
    /// Breaks the connection off, what it has not read being lost, and does not listen.
    Gone,
}

/// The receiver, on a thread of its own until the process ends.
#[derive(Clone, Debug)]
pub(super) struct Siem {
    mode: Arc<AtomicU8>,
    numbers: Arc<Mutex<HashSet<u64>>>,
}

impl Siem {
    pub(super) fn start(namespace: &Namespace) -> Result<Self> {
        let siem = Self {
            mode: Arc::default(),
            numbers: Arc::default(),
        };
        let mut receiver = Receiver {
            siem: siem.clone(),
            listener: None,
            stream: None,
            rest: Vec::new(),
        };
        namespace.within(move || {
            // A thread begins in the namespace of the one that starts it.
            thread::spawn(move || {
                loop {
                    receiver.step();
                }
            });
            Ok(())
        })?;
        Ok(siem)
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    /// Different messages that came, by their sequence number.
    pub(super) fn received(&self) -> u64 {
        self.numbers().len() as u64
    }

    fn numbers(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Receiver {
    siem: Siem,
    listener: Option<TcpListener>,
    stream: Option<TcpStream>,
    rest: Vec<u8>,
}

impl Receiver {
    fn step(&mut self) {
        let mode = self.siem.mode.load(Ordering::SeqCst);
        if mode == Mode::Gone as u8 {
            // With data unread, closing resets the connection.
            (self.listener, self.stream) = (None, None);
            self.rest.clear();
            thread::sleep(PAUSE);
            return;
        }
        if self.listener.is_none() {
            self.listener = TcpListener::bind(ADDRESS).ok();
            if let Some(listener) = &self.listener {
                let _ = listener.set_nonblocking(true);
                // What this kernel takes for a program that does not read, Wardtap sends again, up to 4 MiB
                // (docs/outputs.md): on the loopback it would take more.
                let _ = setsockopt(listener, RcvBuf, &BUFFER);
            }
        }
        if self.stream.is_none() {
            self.stream = self
                .listener
                .as_ref()
                .and_then(|listener| Some(listener.accept().ok()?.0));
            if let Some(stream) = &self.stream {
                let _ = stream.set_nonblocking(false);
                let _ = stream.set_read_timeout(Some(PAUSE));
                self.rest.clear();
            }
        }
        if mode == Mode::Stalls as u8 || self.stream.is_none() {
            thread::sleep(PAUSE);
            return;
        }
        self.read();
    }

    fn read(&mut self) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let mut buffer = [0; 1 << 14];
        match stream.read(&mut buffer) {
            Ok(0) => self.stream = None,
            Ok(count) => {
                self.rest.extend_from_slice(&buffer[..count]);
                self.take();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.stream = None,
        }
    }

    /// Takes whole messages: a length in digits, a space, the message.
    fn take(&mut self) {
        let mut at = 0;
        while let Some(space) = self.rest[at..].iter().position(|byte| *byte == b' ') {
            let digits = std::str::from_utf8(&self.rest[at..at + space]).ok();
            let Some(length) = digits.and_then(|digits| digits.parse::<usize>().ok()) else {
                break;
            };
            let begin = at + space + 1;
            let Some(message) = self.rest.get(begin..begin + length) else {
                break;
            };
            if let Some(number) = number(message) {
                self.siem.numbers().insert(number);
            }
            at = begin + length;
        }
        self.rest.drain(..at);
    }
}

fn number(message: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(&message[..message.len().min(400)]);
    let (_, rest) = text.split_once("sequenceId=\"")?;
    rest.split_once('"')?.0.parse().ok()
}
