//! Connections and datagrams through the bridge.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use etherparse::{PacketBuilder, VlanId};
use serde_json::Value;
use tests::{passage::Passage, wire::Wire};

use super::number;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(250);

/// Echo servers on the right, on all its addresses. They end with this.
pub(crate) struct Servers {
    stop: Arc<AtomicBool>,
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Servers {
    pub(crate) fn start(passage: &Passage) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        passage.right.within(move || {
            for port in [104, 2_575] {
                // One socket for both families.
                let listener = TcpListener::bind(("::", port))?;
                listener.set_nonblocking(true)?;
                let stop = Arc::clone(&flag);
                thread::spawn(move || accept(&listener, &stop));
            }
            // One for each address, so that answers have the right sender.
            for address in [
                "10.9.0.2",
                "10.9.0.3",
                "10.9.0.4",
                "fd99::2",
                "fd99::3",
                "fd99::4",
                "10.97.0.2",
            ] {
                let Ok(socket) = UdpSocket::bind((address, 514)) else {
                    continue;
                };
                socket.set_read_timeout(Some(PATIENCE))?;
                let stop = Arc::clone(&flag);
                thread::spawn(move || {
                    let mut buffer = [0; 64];
                    while !stop.load(Ordering::Relaxed) {
                        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                            let _ = socket.send_to(&buffer[..length], from);
                        }
                    }
                });
            }
            Ok(())
        })?;
        Ok(Self { stop })
    }
}

fn accept(listener: &TcpListener, stop: &Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let stop = Arc::clone(stop);
                thread::spawn(move || {
                    let _ = stream.set_nonblocking(false);
                    let _ = stream.set_read_timeout(Some(PATIENCE));
                    let mut buffer = [0; 64];
                    while !stop.load(Ordering::Relaxed) {
                        match stream.read(&mut buffer) {
                            Ok(0) => return,
                            Ok(length) => {
                                if stream.write_all(&buffer[..length]).is_err() {
                                    return;
                                }
                            }
                            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                            Err(_) => return,
                        }
                    }
                });
            }
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// A connection from the left.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) fn echoes(&mut self) -> Result<bool> {
        self.0.write_all(b"hello")?;
        let mut buffer = [0; 5];
        Ok(self.0.read_exact(&mut buffer).is_ok() && &buffer == b"hello")
    }

    pub(crate) fn local(&self) -> Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }
}

/// Connects from the left.
pub(crate) fn connects(passage: &Passage, to: &str) -> Result<Connection> {
    let to: SocketAddr = to.parse()?;
    passage.left.within(move || {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection(stream))
    })
}

/// Which of `paths` carry a question and its answer, all tried at once.
pub(crate) fn exchanges(
    passage: &Passage,
    paths: &'static [&'static str],
) -> Result<Vec<&'static str>> {
    let tries: Vec<_> = thread::scope(|scope| {
        let tries: Vec<_> = paths
            .iter()
            .map(|path| scope.spawn(|| exchange(passage, path)))
            .collect();
        tries
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut passing = Vec::new();
    for (path, done) in paths.iter().zip(tries) {
        let done = done.ok().context("a try panicked")?;
        if done.with_context(|| (*path).to_owned())? {
            passing.push(*path);
        }
    }
    Ok(passing)
}

fn exchange(passage: &Passage, path: &str) -> Result<bool> {
    if let Some(to) = path.strip_suffix("/udp") {
        let to: SocketAddr = to.parse()?;
        return passage.left.within(move || {
            let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(any)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.connect(to)?;
            socket.send(b"hello")?;
            let mut buffer = [0; 16];
            Ok(socket.recv(&mut buffer).is_ok_and(|length| length == 5))
        });
    }
    match connects(passage, path) {
        Ok(mut connection) => connection.echoes(),
        Err(_) => Ok(false),
    }
}

/// A datagram to port 514 of `to`, in a frame with VLAN tags.
pub(crate) fn tagged(tags: u8, to: IpAddr) -> Result<Vec<u8>> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2]);
    let id = VlanId::try_new(7)?;
    let builder = if tags == 1 {
        builder.single_vlan(id)
    } else {
        builder.double_vlan(VlanId::try_new(100)?, id)
    };
    let mut frame = Vec::new();
    match to {
        IpAddr::V4(to) => builder
            .ipv4([10, 97, 0, 1], to.octets(), 64)
            .udp(40_000, 514)
            .write(&mut frame, b"hello")?,
        IpAddr::V6(to) => builder
            .ipv6(
                "fd97::1".parse::<std::net::Ipv6Addr>()?.octets(),
                to.octets(),
                64,
            )
            .udp(40_000, 514)
            .write(&mut frame, b"hello")?,
    }
    Ok(frame)
}

/// How many frames there were at the port on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frames {
    /// Sent by the host there.
    pub(crate) sent: u64,
    /// Counted by the programs.
    pub(crate) counted: u64,
}

impl Frames {
    pub(crate) fn of(passage: &Passage) -> Result<Self> {
        let text = passage
            .left
            .ip(&["-json", "-statistics", "link", "show", "eth0"])?;
        let link: Value = serde_json::from_str(&text)?;
        let status = passage.json(&["status"])?;
        Ok(Self {
            sent: number(&link[0]["stats64"]["tx"]["packets"]),
            counted: number(&status["interfaces"][0]["counters"]["packets"]),
        })
    }
}

/// Datagrams that the host on the left sends to 10.66.0.1 and the addresses after it, all the time.
pub(crate) struct Datagrams {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64>>,
}

impl Datagrams {
    /// Begins to send them, to so many addresses.
    pub(crate) fn start(passage: &Passage, targets: u8) -> Result<Self> {
        let mut wire = Wire::open(&passage.left, "eth0")?;
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut frames = 0;
            while !flag.load(Ordering::Relaxed) {
                for target in 1..=targets {
                    let mut frame = Vec::new();
                    PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2])
                        .ipv4([10, 9, 0, 1], [10, 66, 0, target], 64)
                        .udp(40_000, 514)
                        .write(&mut frame, b"hello")?;
                    wire.send(&frame)?;
                    frames += 1;
                }
                thread::sleep(Duration::from_millis(10));
            }
            Ok(frames)
        });
        Ok(Self { stop, thread })
    }

    /// Ends them; how many frames were sent.
    pub(crate) fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the sender of datagrams panicked"))?
    }
}
