//! A connection to a syslog receiver, TCP or TLS, that never waits for longer than it may.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{setsockopt, sockopt},
};
use rustls::ClientConnection;
use sensor_kernel::socket::unacknowledged;

use super::{
    Endpoint,
    tls::{TlsError, TlsOptions},
};

/// To find the receiver, and for the handshake of TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// A receiver that takes nothing for so long is given up.
const STALL: Duration = Duration::from_secs(30);
/// Between two looks at whether time is over.
const LOOK: u16 = 100;

/// Why a connection could not be made, or broke.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("can't find {0}: {1}")]
    Name(String, io::Error),
    #[error("can't connect to {0}: {1}")]
    Connect(Endpoint, io::Error),
    #[error("no TLS with {0}: {1}")]
    Tls(Endpoint, TlsError),
    #[error("the receiver closed the connection")]
    Closed,
    #[error("the receiver took nothing for {} seconds", STALL.as_secs())]
    Stalled,
    #[error("it is time to end")]
    Over,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
}

/// A connection.
pub(super) struct Connection {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    endpoint: Endpoint,
    options: TlsOptions,
    /// Bytes that the socket has taken.
    sent: u64,
}

impl Connection {
    /// Connects, by the first of the receiver's addresses that answers.
    pub(super) fn open(
        endpoint: &Endpoint,
        tls: Option<&TlsOptions>,
        over: impl Fn() -> bool,
    ) -> Result<Self, ConnectionError> {
        let name = |error| ConnectionError::Name(endpoint.host.clone(), error);
        let mut failed = name(io::ErrorKind::NotFound.into());
        let addresses = (endpoint.host.as_str(), endpoint.port);
        let mut socket = None;
        for address in addresses.to_socket_addrs().map_err(name)? {
            if over() {
                return Err(ConnectionError::Over);
            }
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(connected) => {
                    socket = Some(connected);
                    break;
                }
                Err(error) => failed = ConnectionError::Connect(endpoint.clone(), error),
            }
        }
        let socket = socket.ok_or(failed)?;
        prepare(&socket)?;
        let options = tls.cloned().unwrap_or_default();
        let tls = tls
            .map(|tls| tls.connection(&endpoint.host).map(Box::new))
            .transpose()
            .map_err(|error| ConnectionError::Tls(endpoint.clone(), error))?;
        let mut connection = Self {
            socket,
            tls,
            endpoint: endpoint.clone(),
            options,
            sent: 0,
        };
        connection.shake_hands(over)?;
        Ok(connection)
    }

    fn shake_hands(&mut self, over: impl Fn() -> bool) -> Result<(), ConnectionError> {
        let deadline = Instant::now() + CONNECT;
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            self.flush()?;
            self.read()?;
            if over() {
                return Err(ConnectionError::Over);
            }
            if Instant::now() >= deadline {
                let late = io::Error::from(io::ErrorKind::TimedOut);
                return Err(ConnectionError::Connect(self.endpoint.clone(), late));
            }
            if self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
                self.wait(false)?;
            }
        }
        self.flush()?;
        Ok(())
    }

    /// Writes all of it into the socket.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        over: impl Fn() -> bool,
    ) -> Result<(), ConnectionError> {
        let mut rest = bytes;
        let mut progress = (Instant::now(), self.sent);
        loop {
            let taken = self.take(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            let flushed = self.flush()?;
            if rest.is_empty() && flushed {
                return Ok(());
            }
            if self.sent > progress.1 {
                progress = (Instant::now(), self.sent);
            } else if progress.0.elapsed() >= STALL {
                return Err(ConnectionError::Stalled);
            }
            if over() {
                return Err(ConnectionError::Over);
            }
            self.wait(true)?;
            self.read()?;
        }
    }

    /// Takes what there is room for.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, ConnectionError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if let Some(tls) = &mut self.tls {
            return Ok(tls.writer().write(bytes)?);
        }
        let count = unless_blocked(self.socket.write(bytes))?.unwrap_or(0);
        self.sent += count as u64;
        Ok(count)
    }

    /// Hands what TLS has ready to the socket; true if that was all.
    fn flush(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            return Ok(true);
        };
        while tls.wants_write() {
            match unless_blocked(tls.write_tls(&mut self.socket))? {
                None => return Ok(false),
                Some(count) => self.sent += count as u64,
            }
        }
        Ok(true)
    }

    /// Reads what the receiver says, which is nothing but its end, or of TLS.
    pub(super) fn read(&mut self) -> Result<(), ConnectionError> {
        let mut buffer = [0; 4096];
        loop {
            let Some(tls) = &mut self.tls else {
                match unless_blocked(self.socket.read(&mut buffer))? {
                    None => return Ok(()),
                    Some(0) => return Err(ConnectionError::Closed),
                    Some(_) => continue,
                }
            };
            match unless_blocked(tls.read_tls(&mut self.socket))? {
                None => return Ok(()),
                Some(0) => return Err(ConnectionError::Closed),
                Some(_) => {}
            }
            if let Err(error) = tls.process_new_packets() {
                // The receiver is told why.
                let _ = tls.write_tls(&mut self.socket);
                let error = self.options.explained(&self.endpoint.host, error);
                return Err(ConnectionError::Tls(self.endpoint.clone(), error));
            }
            while unless_blocked(tls.reader().read(&mut buffer))?.is_some_and(|count| count > 0) {}
        }
    }

    /// Waits a little until the socket can be read, or written where there is something to write.
    fn wait(&self, write: bool) -> io::Result<()> {
        let write = write || self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        let events = if write {
            PollFlags::POLLIN | PollFlags::POLLOUT
        } else {
            PollFlags::POLLIN
        };
        match poll(
            &mut [PollFd::new(self.socket.as_fd(), events)],
            PollTimeout::from(LOOK),
        ) {
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes that the socket has taken.
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Of these, bytes that the receiver's kernel has acknowledged.
    pub(super) fn acknowledged(&self) -> io::Result<u64> {
        Ok(self.sent.saturating_sub(unacknowledged(&self.socket)?))
    }

    /// Says good-bye; all was acknowledged.
    pub(super) fn close(mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = self.flush();
        }
    }
}

/// A dead receiver is found out, also while there is nothing to send.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &30)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &10)?;
    setsockopt(socket, sockopt::TcpKeepCount, &3)?;
    let stall = u32::try_from(STALL.as_millis()).unwrap_or(u32::MAX);
    setsockopt(socket, sockopt::TcpUserTimeout, &stall)?;
    Ok(())
}

/// None where it would have to wait.
fn unless_blocked<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
