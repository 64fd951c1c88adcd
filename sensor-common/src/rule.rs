//! Containment rules as kernel and daemon share them: keys, states, hits.
//!
//! A rule stands in one slot of an array; the tables that packets are looked up in lead to the slot. So a
//! rule's state and end change in one place, by one write.

/// Slots: rules that there can be at once.
pub const RULES_MAX: u32 = 16_384;
/// Entries of the never-block list, hosts and subnets each.
pub const PROTECTED_MAX: u32 = 16_384;
/// Learnt clinical peers, over all rules that keep them.
pub const CLINICAL_MAX: u32 = 65_536;

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RuleState {
    /// Nothing; also an empty slot.
    Off = 0,
    /// It drops.
    Enabled = 1,
    /// It counts what it would drop.
    DryRun = 2,
}

/// How much of its target's traffic a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RuleScope {
    /// All of it.
    All = 0,
    /// All but what [`ClinicalKey`]s name, and what an address lives by.
    KeepClinical = 1,
}

/// A slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Rule {
    /// The rule's id; no two rules ever have the same.
    pub id: u64,
    /// When it ends, nanoseconds of the engine's clock.
    pub expires: u64,
    /// [`RuleState`].
    pub state: u32,
    /// [`RuleScope`].
    pub scope: u32,
    /// Not 0: it stays in force while the daemon is gone.
    pub sticky: u32,
    /// Always zero.
    pub pad: u32,
}

/// What the look-up tables hold: where the rule is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RuleRef {
    /// Its slot.
    pub slot: u32,
    /// The low half of its id: a slot that was given to another rule meanwhile does not pass for it.
    pub check: u32,
}

impl RuleRef {
    /// To rule `id` in `slot`.
    #[inline(always)]
    #[must_use]
    pub const fn new(slot: u32, id: u64) -> Self {
        Self {
            slot,
            check: id as u32,
        }
    }
}

/// What a rule has dropped, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Hits {
    /// Packets dropped.
    pub packets: u64,
    /// Their bytes, from the Ethernet header on.
    pub bytes: u64,
    /// Packets that a dry run would have dropped.
    pub would_packets: u64,
    /// Their bytes.
    pub would_bytes: u64,
    /// Time of the last of either, nanoseconds of the engine's clock; 0: none.
    pub last: u64,
}

impl Hits {
    /// The sum, as over CPUs.
    #[must_use]
    pub fn merged(self, other: &Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
            would_packets: self.would_packets + other.would_packets,
            would_bytes: self.would_bytes + other.would_bytes,
            last: if self.last > other.last {
                self.last
            } else {
                other.last
            },
        }
    }
}

/// [`HostKey::kind`] of an Ethernet address.
pub const KIND_MAC: u8 = 2;

/// A host, or a service of it: key of the rules of devices and of the never-block list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(4))]
pub struct HostKey {
    /// The address, network order, zero bytes after it.
    pub address: [u8; 16],
    /// The service's port, network order; 0 for the whole host.
    pub port: [u8; 2],
    /// The service's IP protocol number; 0 for the whole host.
    pub protocol: u8,
    /// 4 or 6 (IP), or [`KIND_MAC`].
    pub kind: u8,
}

/// A subnet: key of the longest-prefix tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(4))]
pub struct NetKey {
    /// The family, 4 or 6, so that one table serves both.
    pub family: u8,
    /// The address, network order, zero bytes after it.
    pub address: [u8; 16],
    /// Always zero.
    pub pad: [u8; 3],
}

impl NetKey {
    /// The prefix length in bits of a subnet's key: the family's byte, then `bits` of the address.
    #[must_use]
    pub const fn prefix(bits: u8) -> u32 {
        8 + bits as u32
    }

    /// The prefix length of a look-up.
    pub const WHOLE: u32 = 8 * 17;
}

/// A device's peer that a rule of scope [`RuleScope::KeepClinical`] spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C, align(8))]
pub struct ClinicalKey {
    /// The rule.
    pub rule: u64,
    /// The peer's address, network order, zero bytes after it.
    pub peer: [u8; 16],
    /// The service's port, network order.
    pub port: [u8; 2],
    /// Its IP protocol number.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// 1: the device offers the service; 0: the peer does.
    pub serves: u8,
    /// Always zero.
    pub pad: [u8; 3],
}

/// What the engine needs to know of all rules; one element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Containment {
    /// When the daemon was last known to live, nanoseconds of the engine's clock.
    pub heartbeat: u64,
    /// After so many nanoseconds without a heartbeat only sticky rules drop.
    pub patience: u64,
    /// Changes with each change of rules or of the never-block list, after it. Never 0 while there is
    /// a rule: see [`Clearance`].
    pub generation: u32,
    /// Which tables have entries, bits as in [`tables`].
    pub tables: u32,
}

/// Bits of [`Containment::tables`].
pub mod tables {
    /// Never-block list: IP addresses.
    pub const PROTECTED_HOSTS: u32 = 1;
    /// Never-block list: Ethernet addresses.
    pub const PROTECTED_MACS: u32 = 2;
    /// Never-block list: subnets.
    pub const PROTECTED_NETS: u32 = 4;
    /// Rules of flows.
    pub const FLOWS: u32 = 8;
    /// Rules of a service between two addresses.
    pub const PAIR_SERVICES: u32 = 16;
    /// Rules of two addresses.
    pub const PAIRS: u32 = 32;
    /// Rules of services.
    pub const SERVICES: u32 = 64;
    /// Rules of IP addresses.
    pub const DEVICES: u32 = 128;
    /// Rules of Ethernet addresses.
    pub const MACS: u32 = 256;
    /// Rules of subnets.
    pub const NETS: u32 = 512;
    /// All rules.
    pub const RULES: u32 = FLOWS | PAIR_SERVICES | PAIRS | SERVICES | DEVICES | MACS | NETS;
}

/// That a packet of one direction of a flow matched no rule: kept in the flow, so that the next packet
/// with the same Ethernet addresses need not be looked up again until the rules change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Clearance {
    /// The first eight bytes of the Ethernet header.
    pub macs: u64,
    /// The other four, and [`Containment::generation`]. 0: no clearance.
    pub macs_and_generation: u64,
}

impl Clearance {
    /// None.
    pub const NONE: Self = Self {
        macs: 0,
        macs_and_generation: 0,
    };
}
