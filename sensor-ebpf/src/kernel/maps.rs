//! The kernel's maps. The daemon sets their sizes when it loads the object, pins them by name, and
//! shares them between the program instances of all interfaces.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    macros::map,
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, Queue, RingBuf},
};
use sensor_common::{
    cpu::Cpu,
    engine::{HELD_PLACES, Held},
    flow::{Flow, slot::Kept4},
    key::{FlowKey, Key4},
    notice::arp::{ArpKey, CLAIMS, Claim},
    rule::{
        CLINICAL_MAX, ClinicalKey, Containment, Hits, HostKey, NetKey, PROTECTED_MAX, RULES_MAX,
        Rule, RuleRef,
    },
    settings::Settings,
};

/// Scratch memory and counters; the element of an interface is its slot.
#[map]
pub(crate) static CPU: PerCpuArray<Cpu> = PerCpuArray::pinned(1, 0);

/// Settings that change at run time; one element.
#[map]
pub(crate) static SETTINGS: Array<Settings> = Array::pinned(1, 0);

/// Events to the daemon.
#[map]
pub(crate) static EVENTS: RingBuf = RingBuf::pinned(4096, 0);

/// Established IPv4 flows: the place in [`KEPT4`] of each. What is here is in the table.
#[map]
pub(crate) static ESTABLISHED4: HashMap<Key4, u32> = HashMap::pinned(1, 0);

/// The places of established IPv4 flows; the daemon reads them in place.
#[map]
pub(crate) static KEPT4: Array<Kept4> = Array::pinned(1, BPF_F_MMAPABLE);

/// Places that are free.
#[map]
pub(crate) static FREE4: Queue<u32> = Queue::pinned(1, 0);

/// Places by [`sensor_common::flow::slot::hint`].
#[map]
pub(crate) static HINTS4: Array<u32> = Array::pinned(1, 0);

/// Established IPv6 flows.
#[map]
pub(crate) static ESTABLISHED6: HashMap<FlowKey, Flow> = HashMap::pinned(1, 0);

/// New IPv4 flows; the least recently used make room.
#[map]
pub(crate) static FRESH4: LruHashMap<Key4, Flow> = LruHashMap::pinned(1, 0);

/// New IPv6 flows.
#[map]
pub(crate) static FRESH6: LruHashMap<FlowKey, Flow> = LruHashMap::pinned(1, 0);

/// Places for segments that came before those they follow. Not pinned: what they hold goes with the programs.
#[map]
pub(crate) static HELD: Array<Held> = Array::with_max_entries(HELD_PLACES, 0);

/// Who claims which address by ARP; the one that was quiet longest makes room.
#[map]
pub(crate) static ARP_CLAIMS: LruHashMap<ArpKey, Claim> = LruHashMap::pinned(CLAIMS, 0);

/// What is to be known of all rules; one element.
#[map]
pub(crate) static CONTAINMENT: Array<Containment> = Array::pinned(1, 0);

/// The rules, by slot.
#[map]
pub(crate) static RULES: Array<Rule> = Array::pinned(RULES_MAX, 0);

/// What they have hit, by slot.
#[map]
pub(crate) static RULE_HITS: PerCpuArray<Hits> = PerCpuArray::pinned(RULES_MAX, 0);

/// Rules of devices, by IP or Ethernet address, and of their services.
#[map]
pub(crate) static RULE_HOSTS: HashMap<HostKey, RuleRef> = HashMap::pinned(RULES_MAX, 0);

/// Rules of pairs and flows.
#[map]
pub(crate) static RULE_PAIRS: HashMap<FlowKey, RuleRef> = HashMap::pinned(RULES_MAX, 0);

/// Rules of subnets.
#[map]
pub(crate) static RULE_NETS: LpmTrie<NetKey, RuleRef> =
    LpmTrie::pinned(RULES_MAX, BPF_F_NO_PREALLOC);

/// Peers that rules of scope keep-clinical spare.
#[map]
pub(crate) static CLINICAL: HashMap<ClinicalKey, u32> =
    HashMap::pinned(CLINICAL_MAX, BPF_F_NO_PREALLOC);

/// The never-block list: IP and Ethernet addresses.
#[map]
pub(crate) static PROTECTED_HOSTS: HashMap<HostKey, u32> =
    HashMap::pinned(PROTECTED_MAX, BPF_F_NO_PREALLOC);

/// The never-block list: subnets.
#[map]
pub(crate) static PROTECTED_NETS: LpmTrie<NetKey, u32> =
    LpmTrie::pinned(PROTECTED_MAX, BPF_F_NO_PREALLOC);
