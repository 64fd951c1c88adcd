//! The control socket.

pub mod socket;
