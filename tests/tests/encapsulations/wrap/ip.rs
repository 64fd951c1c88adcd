//! What carries packets over IP.

use sensor_common::packet::Tunnel::{Erspan, Gre, Ip, Mpls};

use super::{
    headers::{erspan3, labels, tag},
    kind::{Wrap, wrap},
};
use crate::bytes::{ethernet, ip4, ip6, join, over_gre};

/// What carries packets over IP.
pub(super) const OVER_IP: &[Wrap] = &[
    wrap("IP in IPv4", &[Ip], &[], |p| {
        ethernet(0x0800, &ip4(if p.v6 { 41 } else { 4 }, &p.ip))
    }),
    wrap("IP in IPv6", &[Ip], &[], |p| {
        ethernet(0x86dd, &ip6(if p.v6 { 41 } else { 4 }, &p.ip))
    }),
    wrap("Ethernet in IP", &[Ip], &[], |p| {
        ethernet(0x0800, &ip4(97, &join(&[&[0x30, 0], &p.frame()])))
    }),
    wrap("MPLS in IP", &[Ip, Mpls], &[], |p| {
        ethernet(0x0800, &ip4(137, &join(&[&labels(1), &p.ip])))
    }),
    wrap("GRE", &[Gre], &[], |p| {
        over_gre(0, p.ether_type(), &[], &p.ip)
    }),
    wrap("GRE in IPv6", &[Gre], &[], |p| {
        let gre = join(&[&[0, 0], &p.typed()]);
        ethernet(0x86dd, &ip6(47, &gre))
    }),
    wrap(
        "GRE with checksum, key and sequence number",
        &[Gre],
        &[],
        |p| over_gre(0xb000, p.ether_type(), &[0x5a; 12], &p.ip),
    ),
    wrap("GRE with Ethernet and a key (NVGRE)", &[Gre], &[3], |p| {
        over_gre(0x2000, 0x6558, &[0, 0, 9, 1], &p.tagged(&tag(0x8100, 3)))
    }),
    wrap("GRE with MPLS", &[Gre, Mpls], &[], |p| {
        over_gre(0, 0x8847, &labels(2), &p.ip)
    }),
    wrap("GRE version 1 with PPP", &[Gre], &[], |p| {
        over_gre(
            0x3081,
            0x880b,
            &[0, 40, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
            &p.ppp(&[0xff, 3]),
        )
    }),
    wrap("ERSPAN I", &[Erspan], &[], |p| {
        over_gre(0, 0x88be, &[], &p.frame())
    }),
    wrap("ERSPAN II", &[Erspan], &[], |p| {
        over_gre(
            0x1000,
            0x88be,
            &[0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 1],
            &p.frame(),
        )
    }),
    wrap("ERSPAN III", &[Erspan], &[], |p| erspan3(p, false)),
    wrap("ERSPAN III with a platform header", &[Erspan], &[], |p| {
        erspan3(p, true)
    }),
];
