//! What carries packets over UDP.

use sensor_common::packet::Tunnel::{
    Ayiya, Capwap, Geneve, Gtp, HpErm, L2tp, Mpls, Teredo, Tzsp, Vxlan,
};

use super::{
    headers::{VXLAN, capwap, geneve, gtp, labels, tag, vxlan, wifi},
    kind::{Wrap, of_v6, wrap},
};
use crate::bytes::{ethernet, ip6, join, over_udp, udp};

/// What carries packets over UDP.
pub(super) const OVER_UDP: &[Wrap] = &[
    wrap("VXLAN", &[Vxlan], &[], |p| vxlan(VXLAN, p)),
    wrap("VXLAN on the port of Linux", &[Vxlan], &[5], |p| {
        over_udp(8_472, &VXLAN, &p.tagged(&tag(0x8100, 5)))
    }),
    wrap("VXLAN with reserved bits", &[Vxlan], &[], |p| {
        vxlan([0x88, 0, 0, 5, 0, 0, 42, 0xff], p)
    }),
    wrap("VXLAN with every bit but two", &[Vxlan], &[], |p| {
        vxlan([0xff, 0xff, 0xff, 0xff, 0, 0, 42, 0xff], p)
    }),
    wrap("VXLAN with a group policy", &[Vxlan], &[], |p| {
        vxlan([0x88, 0x48, 0x12, 0x34, 0, 0, 42, 0], p)
    }),
    wrap("VXLAN-GPE with IP", &[Vxlan], &[], |p| {
        let next = if p.v6 { 2 } else { 1 };
        over_udp(4_790, &[0x0c, 0, 0, next, 0, 0, 42, 0], &p.ip)
    }),
    wrap("VXLAN-GPE with Ethernet", &[Vxlan], &[], |p| {
        over_udp(4_790, &[0x0c, 0, 0, 3, 0, 0, 42, 0], &p.frame())
    }),
    wrap("VXLAN over IPv6", &[Vxlan], &[], |p| {
        let datagram = udp(40_001, 4_789, &join(&[&VXLAN, &p.frame()]));
        ethernet(0x86dd, &ip6(17, &datagram))
    }),
    wrap("GENEVE", &[Geneve], &[], |p| {
        geneve(0x6558, &[], &p.frame())
    }),
    wrap("GENEVE with options", &[Geneve], &[], |p| {
        geneve(0x6558, &[1, 2, 0x80, 1, 9, 9, 9, 9, 1, 3, 0, 0], &p.frame())
    }),
    wrap(
        "GENEVE with IP and all its room for options",
        &[Geneve],
        &[],
        |p| geneve(p.ether_type(), &[1; 252], &p.ip),
    ),
    wrap("GENEVE with MPLS", &[Geneve, Mpls], &[], |p| {
        geneve(0x8847, &[], &join(&[&labels(2), &p.ip]))
    }),
    wrap("GTP-U", &[Gtp], &[], |p| gtp(0, &[], p)),
    wrap("GTP-U with a sequence number", &[Gtp], &[], |p| {
        gtp(2, &[0, 7, 0, 0], p)
    }),
    wrap("GTP-U with extension headers", &[Gtp], &[], |p| {
        gtp(
            4,
            &[0, 0, 0, 0x85, 1, 0x10, 1, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0],
            p,
        )
    }),
    wrap("CAPWAP with 802.3", &[Capwap], &[], |p| {
        capwap(0, &p.frame())
    }),
    wrap("CAPWAP with 802.11", &[Capwap], &[], |p| {
        capwap(1, &wifi(p, [8, 2], &[], &p.snap()))
    }),
    wrap(
        "CAPWAP with 802.11, the control swapped",
        &[Capwap],
        &[],
        |p| capwap(1, &wifi(p, [2, 0x88], &[0, 0], &p.snap())),
    ),
    wrap("TZSP", &[Tzsp], &[], |p| {
        over_udp(37_008, &[1, 0, 0, 1, 1], &p.frame())
    }),
    wrap("TZSP with fields and 802.11", &[Tzsp], &[], |p| {
        let header = [1, 0, 0, 18, 0, 10, 1, 0xd0, 0x12, 1, 6, 0x29, 2, 0, 64, 1];
        over_udp(37_008, &header, &wifi(p, [0x88, 2], &[0, 0], &p.snap()))
    }),
    wrap(
        "TZSP with several frames of 802.11 in one",
        &[Tzsp],
        &[],
        |p| {
            let body = p.snap();
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            let inside = join(&[&p.macs(), &length, &body]);
            over_udp(
                37_008,
                &[1, 0, 0, 18, 1],
                &wifi(p, [0x88, 2], &[0x80, 0], &inside),
            )
        },
    ),
    wrap("HP ERM", &[HpErm], &[], |p| {
        over_udp(7_932, &[0; 12], &p.frame())
    }),
    of_v6("Teredo", &[Teredo], |p| over_udp(3_544, &[], &p.ip)),
    of_v6("Teredo with authentication and origin", &[Teredo], |p| {
        let header = [
            0, 1, 2, 3, 9, 9, 8, 8, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0xf0, 0xf1, 1, 2, 3, 4,
        ];
        over_udp(3_544, &header, &p.ip)
    }),
    of_v6("AYIYA", &[Ayiya], |p| {
        let header = join(&[&[0x41, 0x52, 0x11, 41, 0, 0, 0, 9], &[7; 16], &[8; 20]]);
        over_udp(5_072, &header, &p.ip)
    }),
    wrap("L2TP", &[L2tp], &[], |p| {
        over_udp(1_701, &[0, 2, 0, 1, 0, 2], &p.ppp(&[0xff, 3]))
    }),
    wrap("L2TP with length, numbers and offset", &[L2tp], &[], |p| {
        let header = [0x4a, 2, 0, 0, 0, 1, 0, 2, 0, 1, 0, 0, 0, 2, 9, 9];
        over_udp(1_701, &header, &p.ppp(&[]))
    }),
];
