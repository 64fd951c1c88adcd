//! Who is at the other end of the socket, by the credentials that the kernel has of it.

use axum::serve::IncomingStream;
use nix::unistd::{Uid, User};
use sensor_facts::rule::Actor;
use tokio::net::UnixListener;

/// Who is at the other end of the socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(Option<u32>);

impl axum::extract::connect_info::Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred();
        Self(credentials.ok().map(|credentials| credentials.uid()))
    }
}

impl Peer {
    /// The person, by name where the user has one.
    pub(super) fn actor(self) -> Option<Actor> {
        let uid = self.0?;
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Some(Actor::Person {
            uid,
            name: user.map(|user| user.name),
        })
    }
}
