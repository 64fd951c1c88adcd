//! Frames with their times, and the truth about them.

use crate::truth::Truth;

/// Something that makes Ethernet frames.
pub trait Traffic {
    /// What is true of it, known before the first frame.
    fn truth(&self) -> &Truth;

    /// Hands out all frames in the order of their times (nanoseconds since 1970). A frame may be shorter than its
    /// IP packet says, as in a capture that was cut.
    fn run(&mut self, frame: &mut dyn FnMut(u64, &[u8]));
}
