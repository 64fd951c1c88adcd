//! What came of parsing a layer.

use crate::counter::Counter;

/// What came of parsing a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The packet has a flow key.
    Flow,
    /// There is another layer: [`Packet::layer`] at [`Packet::offset`].
    Next,
    /// No flow; the disposition.
    Done(Counter),
}

impl Outcome {
    /// As a number, for a call across a verifier boundary.
    #[inline(always)]
    #[must_use]
    pub const fn to_code(self) -> u32 {
        match self {
            Self::Flow => 0,
            Self::Next => 1,
            Self::Done(counter) => 2 + counter as u32,
        }
    }
}
