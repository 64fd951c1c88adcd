//! Losing the place in a protocol, of which every protocol's reader hears.
//!
//! These are methods of [`Cpu`], so that the readers, which are called here, can call them.

use super::{
    reader::{self, Reader},
    reason::Reason,
    stream::{EARLY, LOST},
    work::Step,
};
use crate::{
    cpu::Cpu,
    registry::{Protocol, State, with_layer7},
};

/// Calls a method of each protocol's [`Reader`].
macro_rules! each {
    ($method:ident $arguments:tt $(($protocol:ident $module:ident))+) => {
        $(super::$module::$protocol::$method $arguments;)+
    };
}

/// The state in which a connection of a known protocol is read on.
macro_rules! lost_state {
    ($known:ident $(($protocol:ident $module:ident))+) => {
        $(if $known == Protocol::$protocol as u8 {
            <super::$module::$protocol as Reader>::LOST
        } else)+ {
            State::Probe
        }
    };
}

impl Cpu {
    /// Gives up the place in the protocol. If the connection's protocol is not known, this segment was not its start.
    #[inline(always)]
    pub(crate) fn desync(&mut self, reason: Reason) -> Step {
        let at = reader::offset(&self.work);
        if self.work.protocol == Protocol::None as u8 {
            let early = self.work.stream.is(EARLY);
            self.work.stream.lose_place(Reason::Before, at);
            if early {
                // A message may begin further on in the segment.
                self.work.stream.set(State::Hl7Start);
                self.work.stream.length = 0;
                return Step::More;
            }
            self.work.position = self.work.end;
            return Step::Done;
        }
        self.lose_place(reason, at);
        let state = self.work.stream.state;
        if state == State::Probe as u8 {
            self.work.position = self.work.end;
            return Step::Done;
        }
        Step::More
    }

    /// Gives up the place in the protocol, at an offset of the stream.
    #[inline(always)]
    pub(crate) fn lose_place(&mut self, reason: Reason, at: u32) {
        let known = self.work.protocol;
        if known != Protocol::None as u8 && !self.work.stream.is(LOST) {
            with_layer7!(each!(place_lost(self)));
            reader::note_gap(self, reason);
        }
        let stream = &mut self.work.stream;
        stream.lose_place(reason, at);
        stream.set(with_layer7!(lost_state!(known)));
        stream.length = 0;
    }
}
