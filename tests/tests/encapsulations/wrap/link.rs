//! What is on the link itself.

use sensor_common::packet::Tunnel::{Mpls, Pbb, Pppoe};

use super::{
    headers::{authenticated, extended, labels, pppoe, tag},
    kind::{Wrap, of_v6, wrap},
};
use crate::bytes::{OUTER_MACS, ethernet, join};

/// Tags and other headers of the link.
pub(super) const LINK: &[Wrap] = &[
    wrap("one tag", &[], &[100], |p| p.tagged(&tag(0x8100, 100))),
    wrap("three tags", &[], &[100, 200, 300], |p| {
        p.tagged(&join(&[
            &tag(0x88a8, 100),
            &tag(0x8100, 200),
            &tag(0x8100, 300),
        ]))
    }),
    wrap("five tags of all types", &[], &[1, 2, 5], |p| {
        p.tagged(&join(&[
            &tag(0x9100, 1),
            &tag(0x9200, 2),
            &tag(0x9300, 3),
            &tag(0x88a8, 4),
            &tag(0x8100, 5),
        ]))
    }),
    wrap("VN-Tag", &[], &[], |p| {
        p.tagged(&[0x89, 0x26, 0, 0, 0, 0x14])
    }),
    wrap("VN-Tag and 802.1Q", &[], &[101], |p| {
        p.tagged(&join(&[&[0x89, 0x26, 0, 0, 0, 0x14], &tag(0x8100, 101)]))
    }),
    wrap("802.1Q and E-Tag", &[], &[101], |p| {
        p.tagged(&join(&[&tag(0x8100, 101), &[0x89, 0x3f, 0, 1, 0, 2, 0, 0]]))
    }),
    wrap("security group tag", &[], &[101], |p| {
        p.tagged(&join(&[&tag(0x8100, 101), &[0x89, 0x09, 1, 1, 0, 1, 0, 7]]))
    }),
    wrap("HSR", &[], &[], |p| p.tagged(&[0x89, 0x2f, 0, 0x30, 0, 1])),
    wrap("SNAP", &[], &[], |p| {
        let body = p.snap();
        join(&[
            &p.macs(),
            &u16::try_from(body.len()).unwrap().to_be_bytes(),
            &body,
        ])
    }),
    wrap("802.1Q and SNAP of 802.1H", &[], &[7], |p| {
        let mut body = p.snap();
        body[5] = 0xf8;
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        join(&[&p.macs(), &tag(0x8100, 7), &length, &body])
    }),
    wrap("authentication header", &[], &[], |p| {
        join(&[&p.macs(), &p.ether_type().to_be_bytes(), &authenticated(p)])
    }),
    wrap("PBB", &[Pbb], &[], |p| {
        let header = join(&[&OUTER_MACS, &tag(0x88a8, 9), &[0x88, 0xe7, 0, 0, 1, 1]]);
        join(&[&header, &p.frame()])
    }),
    wrap("MPLS", &[Mpls], &[], |p| {
        ethernet(0x8847, &join(&[&labels(1), &p.ip]))
    }),
    wrap("MPLS of nine labels on a tag", &[Mpls], &[33], |p| {
        let frame = join(&[&[0x88, 0x47], &labels(9)[..], &p.ip]);
        join(&[&OUTER_MACS, &tag(0x8100, 33), &frame])
    }),
    wrap("MPLS with Ethernet", &[Mpls], &[7], |p| {
        ethernet(0x8848, &join(&[&labels(2), &p.tagged(&tag(0x8100, 7))]))
    }),
    wrap("MPLS with Ethernet and a control word", &[Mpls], &[], |p| {
        ethernet(0x8847, &join(&[&labels(3), &[0, 0, 0, 1], &p.frame()]))
    }),
    wrap("PPPoE", &[Pppoe], &[], |p| {
        ethernet(0x8864, &pppoe(&p.ppp(&[])))
    }),
    wrap(
        "PPPoE, protocol of one byte, on a tag",
        &[Pppoe],
        &[8],
        |p| {
            let frame = join(&[&[0x88, 0x64], &pppoe(&p.ppp(&[])[1..])[..]]);
            join(&[&OUTER_MACS, &tag(0x8100, 8), &frame])
        },
    ),
    of_v6("IPv6 with many extension headers", &[], |p| {
        let chain = [
            (0, 8),
            (60, 24),
            (43, 8),
            (60, 8),
            (51, 16),
            (135, 8),
            (60, 8),
            (0, 16),
            (44, 8),
        ];
        join(&[&p.macs(), &[0x86, 0xdd], &extended(p, &chain)])
    }),
];
