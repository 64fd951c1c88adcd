//! Sizes and offsets that kernel and user rely on; a change here is a change of
//! [`crate::ABI_VERSION`].

use core::mem::{align_of, offset_of, size_of};

use crate::{
    event::{Chunk, ChunkHeader, EventHeader, FlowEvent},
    flow::{Flow, Half, Order, slot::Kept4},
    key::{FlowKey, Key4},
    layer7::Stream,
    notice::arp::{ArpKey, Claim},
    rule::{Clearance, ClinicalKey, Containment, Hits, HostKey, NetKey, Rule, RuleRef},
    settings::Settings,
    tape,
};

const _: () = {
    assert!(size_of::<Key4>() == 16);
    assert!(size_of::<Kept4>() == 784);
    assert!(offset_of!(Kept4, flow) == 24);
    assert!(size_of::<FlowKey>() == 40);
    assert!(size_of::<Stream>() == 64);
    assert!(size_of::<Order>() == 64);
    assert!(size_of::<Half>() == 336);
    assert!(size_of::<Flow>() == 760);
    assert!(offset_of!(Flow, clearances) == 56);
    assert!(size_of::<EventHeader>() == 16);
    assert!(size_of::<FlowEvent>() == 16 + 40 + 760);
    assert!(size_of::<ChunkHeader>() == 88);
    assert!(offset_of!(Chunk, tape) == size_of::<ChunkHeader>());
    assert!(size_of::<Chunk>() == size_of::<ChunkHeader>() + tape::ROOM);
    assert!(size_of::<Settings>() == 40);
    assert!(size_of::<Rule>() == 32);
    assert!(size_of::<RuleRef>() == 8);
    assert!(size_of::<Hits>() == 40);
    assert!(size_of::<HostKey>() == 20);
    assert!(size_of::<NetKey>() == 20);
    assert!(size_of::<ClinicalKey>() == 32);
    assert!(size_of::<Containment>() == 24);
    assert!(size_of::<Clearance>() == 16);
    assert!(size_of::<ArpKey>() == 16);
    assert!(size_of::<Claim>() == 16);
    // A ring entry that asks for more than eight panics in the kernel (aya-ebpf 0.2.1).
    assert!(align_of::<FlowEvent>() == 8);
    assert!(align_of::<Chunk>() == 8);
    assert!(tape::CAPACITY.is_power_of_two());
};
