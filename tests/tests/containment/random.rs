//! Random rules, never-block lists and packets, of so few addresses and ports that they meet.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ipnet::IpNet;
use pnet::util::MacAddr;
use proptest::{collection::vec, prelude::*, sample::select};
use sensor_common::rule::RuleState;
use sensor_facts::{
    rule::Scope,
    target::{ClinicalPeer, Protected, Service, Target, Transport as Over},
};

use super::packet::{Body, Packet, Transport};

/// A rule, before it is given to the kernel and the model.
#[derive(Clone, Debug)]
pub(crate) struct RuleCase {
    pub(crate) id: u64,
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) state: RuleState,
    pub(crate) sticky: bool,
    pub(crate) expires: u64,
    pub(crate) clinical: Vec<ClinicalPeer>,
}

/// Rules and the packets that meet them.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: Vec<RuleCase>,
    pub(crate) protected: Vec<Protected>,
    pub(crate) heartbeat: u64,
    pub(crate) patience: u64,
    pub(crate) packets: Vec<(Packet, u64)>,
}

const PORTS: [u16; 7] = [67, 68, 104, 2_575, 11_112, 40_000, 50_000];
/// Times lie in this range, nanoseconds.
const END: u64 = 100;

/// There are so many addresses, of each family.
const HOSTS: u8 = 5;

/// The address of a host from 0 up to `HOSTS`.
fn address_of(six: bool, host: u8) -> IpAddr {
    if six {
        Ipv6Addr::new(0xfd77, 1, 0, 0, 0, 0, 0, u16::from(host + 1) << 6).into()
    } else {
        Ipv4Addr::new(10, 77, host & 1, (host + 1) << 4).into()
    }
}

fn address(six: bool) -> impl Strategy<Value = IpAddr> {
    (0..HOSTS).prop_map(move |host| address_of(six, host))
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    any::<bool>().prop_flat_map(address)
}

fn two_addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    any::<bool>().prop_flat_map(|six| (address(six), address(six)))
}

/// The two ends of a rule: the guard refuses a rule of an address with itself.
fn two_ends() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    (any::<bool>(), 0..HOSTS, 1..HOSTS).prop_map(|(six, host, further)| {
        (
            address_of(six, host),
            address_of(six, (host + further) % HOSTS),
        )
    })
}

fn mac() -> impl Strategy<Value = MacAddr> {
    (1..=5_u8).prop_map(|host| MacAddr::new(2, 0, 10, 77, 1, host))
}

fn service() -> impl Strategy<Value = Service> {
    (select(vec![Over::Tcp, Over::Udp]), select(&PORTS[..]))
        .prop_map(|(transport, port)| Service { transport, port })
}

fn subnet() -> impl Strategy<Value = IpNet> {
    (any_address(), 0..=16_u8).prop_map(|(address, wider)| {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new(address, whole - wider)
            .unwrap_or_else(|error| panic!("{error}"))
            .trunc()
    })
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (two_ends(), service(), select(&PORTS[..])).prop_map(|((a, b), service, port)| {
            Target::Flow {
                transport: service.transport,
                a: SocketAddr::new(a, port),
                b: SocketAddr::new(b, service.port),
            }
        }),
        (two_ends(), proptest::option::of(service())).prop_map(|((a, b), service)| Target::Pair {
            a,
            b,
            service
        }),
        (any_address(), service())
            .prop_map(|(address, service)| Target::Service { address, service }),
        any_address().prop_map(|address| Target::Device { address }),
        mac().prop_map(|mac| Target::Mac { mac }),
        subnet().prop_map(|subnet| Target::Subnet { subnet }),
    ]
    .prop_map(Target::canonical)
}

fn clinical() -> impl Strategy<Value = ClinicalPeer> {
    (any_address(), service(), any::<bool>()).prop_map(|(peer, service, serves)| ClinicalPeer {
        peer,
        service,
        serves,
    })
}

fn rule() -> impl Strategy<Value = RuleCase> {
    (
        target(),
        select(vec![
            RuleState::Enabled,
            RuleState::Enabled,
            RuleState::Enabled,
            RuleState::DryRun,
            RuleState::Off,
        ]),
        proptest::bool::weighted(0.3),
        END / 4..END * 2,
        any::<bool>(),
        vec(clinical(), 0..6),
    )
        .prop_map(|(target, state, sticky, expires, keeps, clinical)| {
            let device = matches!(target, Target::Device { .. } | Target::Mac { .. });
            let scope = if keeps && device {
                Scope::KeepClinical
            } else {
                Scope::All
            };
            RuleCase {
                id: 0,
                target,
                scope,
                state,
                sticky,
                expires,
                clinical,
            }
        })
}

fn protected() -> impl Strategy<Value = Protected> {
    prop_oneof![
        any_address().prop_map(|address| Protected::Device { address }),
        mac().prop_map(|mac| Protected::Mac { mac }),
        subnet().prop_map(|subnet| Protected::Subnet { subnet }),
    ]
}

fn transport() -> impl Strategy<Value = Transport> {
    let port = || select(&PORTS[..]);
    prop_oneof![
        4 => (port(), port()).prop_map(|(source, destination)| Transport::Tcp(source, destination)),
        3 => (port(), port()).prop_map(|(source, destination)| Transport::Udp(source, destination)),
        1 => select(vec![0, 8, 3, 128, 129, 133, 135, 136, 140]).prop_map(Transport::Icmp),
        1 => Just(Transport::Fragment),
        1 => Just(Transport::Cut),
    ]
}

fn packet() -> impl Strategy<Value = Packet> {
    let body = prop_oneof![
        1 => Just(Body::Arp),
        1 => Just(Body::Other),
        12 => (two_addresses(), transport())
            .prop_map(|((source, destination), above)| Body::Ip(source, destination, above)),
    ];
    (mac(), mac(), vec(1..4_095_u16, 0..=2), body).prop_map(|(source, destination, vlans, body)| {
        Packet {
            source,
            destination,
            vlans,
            body,
        }
    })
}

/// The rules of a set are as the daemon makes them: ids that no earlier rule had, no target twice, no
/// subnet within another.
fn consistent(rules: Vec<RuleCase>, first: u64) -> Vec<RuleCase> {
    let mut targets = HashSet::new();
    let mut subnets: Vec<IpNet> = Vec::new();
    let kept = rules.into_iter().filter(|rule| {
        if let Target::Subnet { subnet } = rule.target {
            if subnets
                .iter()
                .any(|other| other.contains(&subnet) || subnet.contains(other))
            {
                return false;
            }
            subnets.push(subnet);
        }
        targets.insert(rule.target)
    });
    (first..)
        .zip(kept)
        .map(|(id, rule)| RuleCase { id, ..rule })
        .collect()
}

/// A case with `packets` packets, some of which come several times.
pub(crate) fn case(packets: usize) -> impl Strategy<Value = Case> {
    (
        vec(rule(), 0..14),
        1..u64::from(u32::MAX) * 4,
        vec(protected(), 0..3),
        0..END,
        0..END,
        vec((packet(), 0..END), packets / 2),
        vec((0..packets / 2, 0..END), packets / 2),
    )
        .prop_map(
            |(rules, first, protected, heartbeat, patience, new, again)| {
                let mut packets = new;
                let again: Vec<_> = again
                    .into_iter()
                    .map(|(which, time)| (packets[which].0.clone(), time))
                    .collect();
                packets.extend(again);
                // A clock does not go back; a flow that was cleared after a rule's end stays so.
                packets.sort_by_key(|(_, time)| *time);
                Case {
                    rules: consistent(rules, first),
                    protected,
                    heartbeat,
                    patience,
                    packets,
                }
            },
        )
}
