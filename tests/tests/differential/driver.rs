//! A TCP client that knows which segments it wrote and what it read, and when.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpStream},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};

use super::{
    dicom::reply::take_pdu,
    exchange::{Exchange, Packet},
    receivers::{Language, Receiver},
    script::{Ending, Script},
};

/// How long a receiver may take to close a connection that the client has closed.
const END: Duration = Duration::from_millis(2_500);
/// How long a receiver that has crashed may take to come back.
const RESTART: Duration = Duration::from_secs(30);
/// How long the client waits for more of an answer.
const MORE: Duration = Duration::from_millis(300);

struct Client<'a> {
    stream: TcpStream,
    receiver: &'a Receiver,
    packets: Vec<Packet>,
    /// What the receiver sent since the last step.
    answer: Vec<u8>,
    over: bool,
}

/// Plays a script to a receiver.
///
/// # Errors
/// When no connection can be made.
pub(crate) fn play(script: &Script, receiver: &Receiver) -> Result<Exchange> {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, receiver.port);
    let begin = Instant::now();
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let stream = loop {
        match TcpStream::connect(address) {
            Err(error)
                if error.kind() == ErrorKind::ConnectionRefused && begin.elapsed() < RESTART =>
            {
                thread::sleep(Duration::from_millis(20));
            }
            done => break done.with_context(|| receiver.name)?,
        }
    };
    stream.set_nodelay(true)?;
    let port = stream.local_addr()?.port();
    let mut client = Client {
        stream,
        receiver,
        packets: Vec::new(),
        answer: Vec::new(),
        over: false,
    };
    for step in &script.steps {
        client.answer.clear();
        for segment in &step.segments {
            client.write(segment);
        }
        if step.wait {
            client.wait();
        }
    }
    client.end(script.ending)?;
    Ok(Exchange {
        packets: client.packets,
        did: Vec::new(),
        port,
        begin: wall.as_secs_f64(),
    })
}

impl Client<'_> {
    fn write(&mut self, segment: &[u8]) {
        if self.over || segment.is_empty() {
            return;
        }
        if self.stream.write_all(segment).is_ok() {
            self.packets.push(Packet::Client(segment.to_vec()));
        } else {
            self.drain(Duration::from_millis(50));
            self.over = true;
        }
    }

    /// Waits for a whole answer, but not long.
    fn wait(&mut self) {
        let begin = Instant::now();
        let patience = self.receiver.patience;
        while !self.over {
            let left = if self.answer.is_empty() {
                patience
            } else {
                MORE
            }
            .saturating_sub(begin.elapsed());
            if left.is_zero() || self.is_whole() {
                return;
            }
            self.read(left);
        }
    }

    fn is_whole(&self) -> bool {
        match self.receiver.language {
            Language::Hl7 => self.answer.ends_with(b"\x1c\r"),
            Language::Dicom => {
                let mut rest = &self.answer[..];
                while let Some((_, _, after)) = take_pdu(rest) {
                    rest = after;
                }
                !self.answer.is_empty() && rest.is_empty()
            }
        }
    }

    fn read(&mut self, limit: Duration) {
        let mut bytes = vec![0; 65_536];
        let limit = limit.max(Duration::from_millis(1));
        if self.stream.set_read_timeout(Some(limit)).is_err() {
            self.over = true;
            return;
        }
        match self.stream.read(&mut bytes) {
            Ok(0) => {
                self.packets.push(Packet::ReceiverEnds);
                self.over = true;
            }
            Ok(length) => {
                bytes.truncate(length);
                self.answer.extend(&bytes);
                self.packets.push(Packet::Receiver(bytes));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => {
                self.packets.push(Packet::ReceiverResets);
                self.over = true;
            }
        }
    }

    fn drain(&mut self, limit: Duration) {
        let begin = Instant::now();
        while !self.over && begin.elapsed() < limit {
            self.read(limit.saturating_sub(begin.elapsed()));
        }
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        if self.packets.last() == Some(&Packet::ReceiverResets) {
            return Ok(());
        }
        if ending == Ending::Finish {
            self.packets.push(Packet::ClientEnds);
            if !self.over && self.stream.shutdown(Shutdown::Write).is_err() {
                self.drain(Duration::from_millis(50));
                self.over = true;
            }
            self.drain(END);
        }
        if !self.over {
            self.packets.push(Packet::ClientResets);
        }
        // What is still on its way is of no interest; the port is free at once.
        let linger = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(&self.stream, sockopt::Linger, &linger).context("SO_LINGER")
    }
}
