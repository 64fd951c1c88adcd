//! A TCP connection at work, both ends in this process.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tests::{netns::Namespace, wait::wait_for};

use super::LIMIT;

/// A connection between two hosts, both ends in threads that do what they are told until it breaks.
pub(crate) struct Session {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    /// Lines or blocks that came through.
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    ends: [JoinHandle<Result<End>>; 2],
}

/// When an end was over, and why: `None` is in order.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) at: Instant,
    pub(crate) error: Option<ErrorKind>,
}

/// What a session does.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Work {
    /// A line every 100 ms, echoed.
    Lines,
    /// As much as fits, in one direction.
    Bulk,
}

impl Session {
    pub(crate) fn open(from: &Namespace, to: &Namespace, server: SocketAddr, work: Work) -> Self {
        let listener = to.within(move || Ok(TcpListener::bind(server)?)).unwrap();
        let out = from
            .within(move || Ok(TcpStream::connect(server)?))
            .unwrap();
        let (inside, client) = listener.accept().unwrap();
        let (count, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let counted = Arc::clone(&count);
        let stopped = Arc::clone(&stop);
        let read = thread::spawn(move || ended(|| serve(&inside, work, &counted)));
        let write = thread::spawn(move || ended(|| ask(&out, work, &stopped)));
        Self {
            client,
            server,
            count,
            stop,
            ends: [write, read],
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> [bool; 2] {
        [self.ends[0].is_finished(), self.ends[1].is_finished()]
    }

    /// Waits until both ends are over by themselves.
    pub(crate) fn wait_over(&self) {
        self.comes_to_its_end().unwrap();
    }

    /// The error says that an end goes on.
    pub(crate) fn comes_to_its_end(&self) -> Result<()> {
        wait_for("both ends to be over", LIMIT, || {
            self.is_over().iter().all(|over| *over).then_some(())
        })
    }

    /// Lets both ends stop by themselves, and waits for neither.
    pub(crate) fn abandon(self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How both ends ended, the client's first.
    pub(crate) fn finish(self) -> [End; 2] {
        self.stop.store(true, Ordering::Relaxed);
        self.ends.map(|end| end.join().unwrap().unwrap())
    }
}

fn ended(work: impl FnOnce() -> std::io::Result<()>) -> Result<End> {
    let error = match work() {
        Ok(()) => None,
        Err(error) => match error.kind() {
            kind @ (ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Some(kind),
            _ => return Err(error).context("a session's end"),
        },
    };
    Ok(End {
        at: Instant::now(),
        error,
    })
}

fn serve(mut stream: &TcpStream, work: Work, count: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        if work == Work::Lines {
            stream.write_all(&buffer[..length])?;
        }
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

fn ask(mut stream: &TcpStream, work: Work, stop: &AtomicBool) -> std::io::Result<()> {
    let block = vec![b'x'; 1 << 16];
    while !stop.load(Ordering::Relaxed) {
        if work == Work::Bulk {
            stream.write_all(&block)?;
            continue;
        }
        stream.write_all(b"uptime\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
