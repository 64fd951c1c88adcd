//! Layer 7: what may leave the kernel of the content of a TCP connection.
//!
//! The readers are state machines that see each payload byte once, in order, without a copy of the stream: what they
//! need across segments is in [`Stream`]. A *run* is a stretch of bytes that is copied to the tape or skipped as a
//! whole. Skipped runs survive loss, so a hole in an image costs nothing but a count.
//!
//! A packet's payload goes, step by step, to the reader of its state, which the [registry](crate::registry) names.

use crate::registry::with_layer7;

/// Declares the module of each protocol.
macro_rules! modules {
    ($(($protocol:ident $module:ident))+) => {
        $(pub mod $module;)+
    };
}

with_layer7!(modules!());

mod payload;
mod place;
mod prelude;
mod reader;
mod reason;
mod requests;
mod stream;
mod work;

pub use payload::{STEPS, begin, finish, lose, step};
pub use reader::FOUND;
pub use reason::Reason;
pub(crate) use requests::who_asked;
pub use stream::{CARRY, Stream};
pub use work::{Asked, Step, Work};

pub use crate::registry::{Protocol, State};
