//! The shared structures as values that aya may copy to and from the kernel.

use super::life::Inherited;
use sensor_common::{
    cpu::Cpu,
    engine::Held,
    flow::Flow,
    key::{FlowKey, Key4},
    notice::arp::{ArpKey, Claim},
    rule::{ClinicalKey, Containment, Hits, HostKey, NetKey, Rule, RuleRef},
    settings::Settings,
};

/// A structure of `sensor_common` in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(super) struct Pod<T: Copy>(pub(super) T);

macro_rules! pod {
    ($($name:ty),+) => {
        $(
            // SAFETY: `repr(C)` with explicit padding, integers and arrays of integers alone, so every
            // bit pattern is a value (`sensor_common::layout` asserts the sizes).
            unsafe impl aya::Pod for Pod<$name> {}
        )+
    };
}

pod!(
    Cpu,
    Flow,
    FlowKey,
    Key4,
    Settings,
    Rule,
    RuleRef,
    Hits,
    HostKey,
    NetKey,
    ClinicalKey,
    Containment,
    ArpKey,
    Claim,
    Held,
    Inherited
);
