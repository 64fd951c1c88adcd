//! What the rules say of a packet, and of which end of it.

/// What is to become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// A rule drops it.
    Drop,
}

/// What the rules say of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Answer {
    /// No rule means it; that holds for the flow until the rules change.
    Clear = 0,
    /// It passes, and the next one has to be looked up again: a dry run counts it, or the rule's
    /// daemon is gone.
    Watch = 1,
    /// Drop it.
    Drop = 2,
}

/// One end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Who sends it.
    Source,
    /// Who receives it.
    Destination,
}

impl End {
    /// The end that an even or odd number stands for.
    #[inline(always)]
    #[must_use]
    pub const fn of(number: u32) -> Self {
        if number & 1 == 0 {
            Self::Source
        } else {
            Self::Destination
        }
    }
}
