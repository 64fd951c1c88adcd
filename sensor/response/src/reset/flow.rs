//! The one connection that resets are for.

use std::{fmt, net::SocketAddr};

use sensor_facts::target::{Target, Transport};

use super::ResetError;

/// An end of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    A,
    B,
}

impl End {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A TCP connection by its four-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    a: SocketAddr,
    b: SocketAddr,
}

impl Flow {
    /// The connection between two ends, in either order. IPv4-mapped IPv6 addresses are taken as IPv4, as
    /// they are on the wire.
    ///
    /// # Errors
    /// When it is no connection that resets could end.
    pub fn new(transport: Transport, a: SocketAddr, b: SocketAddr) -> Result<Self, ResetError> {
        if transport != Transport::Tcp {
            return Err(ResetError::NotTcp { transport });
        }
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        let (a, b) = (canonical(a), canonical(b));
        let sound = a.is_ipv4() == b.is_ipv4()
            && a.ip() != b.ip()
            && [a, b].iter().all(|end| {
                end.port() != 0 && !end.ip().is_unspecified() && !end.ip().is_multicast()
            });
        if !sound {
            return Err(ResetError::NoConnection { a, b });
        }
        Ok(Self { a, b })
    }

    /// The connection that a rule names.
    ///
    /// # Errors
    /// When its target is no TCP flow: resets go to one connection, never to all of a device's.
    pub fn of(target: &Target) -> Result<Self, ResetError> {
        match *target {
            Target::Flow { transport, a, b } => Self::new(transport, a, b),
            ref other => Err(ResetError::NoFlow {
                target: other.to_string(),
            }),
        }
    }

    /// One end.
    #[must_use]
    pub const fn a(&self) -> SocketAddr {
        self.a
    }

    /// The other end.
    #[must_use]
    pub const fn b(&self) -> SocketAddr {
        self.b
    }

    pub(super) const fn end(&self, end: End) -> SocketAddr {
        match end {
            End::A => self.a,
            End::B => self.b,
        }
    }

    /// Which end sent a packet, if it is of this flow.
    pub(super) fn sender(&self, from: SocketAddr, to: SocketAddr) -> Option<End> {
        if (from, to) == (self.a, self.b) {
            Some(End::A)
        } else if (from, to) == (self.b, self.a) {
            Some(End::B)
        } else {
            None
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp {} ↔ {}", self.a, self.b)
    }
}
