//! What has a tunnel's port or type, and nothing that can be read in it.

use sensor_common::unread;

use crate::{
    bytes::{OUTER_MACS, ethernet, ip4, join, over_gre, over_udp},
    conversation::stored,
};

/// A name, the frame, what it is counted as, and whether it stays a flow.
pub(crate) type Case = (&'static str, Vec<u8>, unread::By, u16, bool);

/// The cases.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn cases() -> Vec<Case> {
    use unread::By;
    let p = &stored(false)[0];
    let lldp = ethernet(0x88cc, &[0; 60]);
    let secret = [&[0x55; 80][..], b"nothing of a tunnel"].concat();
    let datagram = |port: u16, payload: &[u8]| over_udp(port, &[], payload);
    let mut all = vec![
        (
            "MACsec",
            ethernet(0x88e5, &[0x2c; 80]),
            By::EtherType,
            0x88e5,
            false,
        ),
        ("LLDP", lldp.clone(), By::EtherType, 0x88cc, false),
        (
            "a type nobody knows",
            ethernet(0x9999, &[0x45; 80]),
            By::EtherType,
            0x9999,
            false,
        ),
        (
            "spanning tree",
            join(&[&OUTER_MACS, &[0, 38, 0x42, 0x42, 3], &[0; 45]]),
            By::Llc,
            0x4242,
            false,
        ),
        (
            "PPP with LCP",
            ethernet(0x8864, &[0x11, 0, 0, 1, 0, 8, 0xc0, 0x21, 9, 0, 0, 6]),
            By::Ppp,
            0xc021,
            false,
        ),
        (
            "MPLS with a channel",
            ethernet(0x8847, &[0, 0, 0x11, 64, 0x10, 0, 0, 7, 9, 9, 9, 9]),
            By::Mpls,
            0x10,
            false,
        ),
        (
            "LLDP in VXLAN",
            over_udp(4_789, &[8, 0, 0, 0, 0, 0, 1, 0], &lldp),
            By::UdpPort,
            4_789,
            true,
        ),
        (
            "VXLAN without its bit",
            over_udp(4_789, &[0; 8], &p.frame()),
            By::UdpPort,
            4_789,
            true,
        ),
        (
            "GENEVE version 1",
            over_udp(6_081, &[0x40, 0, 0x65, 0x58, 0, 0, 0, 0], &p.frame()),
            By::UdpPort,
            6_081,
            true,
        ),
        (
            "GENEVE with another type",
            over_udp(6_081, &[0, 0, 0x88, 0xcc, 0, 0, 0, 0], &p.frame()),
            By::UdpPort,
            6_081,
            true,
        ),
        (
            "encrypted CAPWAP",
            over_udp(5_247, &[1, 0, 0, 0], &secret),
            By::UdpPort,
            5_247,
            true,
        ),
        (
            "a control message of GTP",
            over_udp(2_152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0], &[]),
            By::UdpPort,
            2_152,
            true,
        ),
        (
            "GRE of source routing",
            over_gre(0x4000, 0x0800, &[0; 8], &p.ip),
            By::Gre,
            0x0800,
            true,
        ),
        (
            "GRE with another type",
            over_gre(0, 0x88cc, &[], &[0; 40]),
            By::Gre,
            0x88cc,
            true,
        ),
        (
            "IP in IP of no version",
            ethernet(0x0800, &ip4(4, &[0x95; 60])),
            By::Ip,
            4,
            true,
        ),
        (
            "IP in IP longer than its packet",
            ethernet(0x0800, &ip4(4, &p.ip[..30])),
            By::Ip,
            4,
            true,
        ),
    ];
    for port in [
        1_701, 2_152, 3_544, 4_789, 4_790, 5_072, 5_247, 6_081, 7_932, 8_472, 37_008,
    ] {
        all.push((
            "something else",
            datagram(port, &secret),
            By::UdpPort,
            port,
            true,
        ));
        all.push(("nothing", datagram(port, &[]), By::UdpPort, port, true));
    }
    all
}
