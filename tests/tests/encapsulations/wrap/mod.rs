//! Every encapsulation that is unwrapped, as its standard has it.

mod headers;
mod ip;
mod kind;
mod link;
mod udp;

use sensor_common::packet::Tunnel::{Erspan, HpErm, Mpls, Pppoe, Vxlan};

use crate::{
    bytes::{ethernet, join, over_gre, over_udp},
    conversation::Packet,
};
use headers::{VXLAN, labels, pppoe, tag, vxlan};
use ip::OVER_IP;
pub(crate) use kind::Wrap;
use kind::wrap;
use link::LINK;
use udp::OVER_UDP;

/// One inside the other.
const NESTED: &[Wrap] = &[
    wrap("VXLAN on three tags", &[Vxlan], &[], |p| {
        let frame = vxlan(VXLAN, p);
        let tags = [tag(0x88a8, 1), tag(0x8100, 2), tag(0x8100, 3)].concat();
        join(&[&frame[..12], &tags, &frame[12..]])
    }),
    wrap("VN-Tag in HP ERM", &[HpErm], &[], |p| {
        over_udp(7_932, &[0; 12], &p.tagged(&[0x89, 0x26, 0, 0, 0, 0x14]))
    }),
    wrap("SNAP in ERSPAN", &[Erspan], &[], |p| {
        let body = p.snap();
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        over_gre(0, 0x88be, &[], &join(&[&p.macs(), &length, &body]))
    }),
    wrap(
        "PPPoE in VXLAN in ERSPAN II in MPLS",
        &[Pppoe, Vxlan, Erspan, Mpls],
        &[],
        |p| {
            let frame = ethernet(0x8864, &pppoe(&p.ppp(&[])));
            let frame = over_udp(4_789, &VXLAN, &frame);
            let fields = [0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 1];
            let frame = over_gre(0x1000, 0x88be, &fields, &frame);
            ethernet(0x8847, &join(&[&labels(1), &frame]))
        },
    ),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Wrap> {
    [LINK, OVER_IP, OVER_UDP, NESTED].into_iter().flatten()
}

/// Once more in a tunnel than is unwrapped.
pub(crate) fn too_deep(p: &Packet) -> Vec<u8> {
    let mut frame = vxlan(VXLAN, p);
    for _ in 0..sensor_common::parse::MAX_TUNNELS {
        frame = over_udp(4_789, &VXLAN, &frame);
    }
    frame
}
