//! Keys of the look-ups that decide on a packet.

use crate::{
    key::FlowKey,
    rule::{ClinicalKey, HostKey, NetKey, RuleRef},
};

/// Keys of the look-ups; in memory of the CPU, since a program's stack is small.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Keys {
    /// Of a host or service.
    pub host: HostKey,
    /// Of a subnet.
    pub net: NetKey,
    /// Of a pair or flow.
    pub pair: FlowKey,
    /// Of a clinical peer.
    pub clinical: ClinicalKey,
    /// The rule that was found last for the packet: one that both ends lead to counts once.
    pub last: RuleRef,
}

impl Keys {
    /// All zero.
    pub const EMPTY: Self = Self {
        host: HostKey {
            address: [0; 16],
            port: [0; 2],
            protocol: 0,
            kind: 0,
        },
        net: NetKey {
            family: 0,
            address: [0; 16],
            pad: [0; 3],
        },
        pair: FlowKey::EMPTY,
        clinical: ClinicalKey {
            rule: 0,
            peer: [0; 16],
            port: [0; 2],
            protocol: 0,
            family: 0,
            serves: 0,
            pad: [0; 3],
        },
        last: RuleRef { slot: 0, check: 0 },
    };
}
