//! Every encapsulation that is unwrapped, as its standard has it.

use sensor_common::packet::Tunnel;

use crate::{
    bytes::{OUTER_MACS, ethernet, ip4, ip6, join, over_gre, over_udp, udp},
    conversation::Packet,
};

/// How a packet is wrapped.
pub(crate) struct Wrap {
    pub(crate) name: &'static str,
    pub(crate) of: fn(&Packet) -> Vec<u8>,
    /// What must be said of it.
    pub(crate) tunnels: &'static [Tunnel],
    pub(crate) vlans: &'static [u16],
    /// It carries IPv6 alone.
    pub(crate) v6_only: bool,
}

const fn wrap(
    name: &'static str,
    tunnels: &'static [Tunnel],
    vlans: &'static [u16],
    of: fn(&Packet) -> Vec<u8>,
) -> Wrap {
    Wrap {
        name,
        of,
        tunnels,
        vlans,
        v6_only: false,
    }
}

const fn of_v6(name: &'static str, tunnel: &'static [Tunnel], of: fn(&Packet) -> Vec<u8>) -> Wrap {
    Wrap {
        v6_only: true,
        ..wrap(name, tunnel, &[], of)
    }
}

fn tag(kind: u16, id: u16) -> [u8; 4] {
    let ([k0, k1], [i0, i1]) = (kind.to_be_bytes(), id.to_be_bytes());
    [k0, k1, i0 | 0x60, i1]
}

/// Labels of MPLS, the last with the bottom's bit.
fn labels(count: u8) -> Vec<u8> {
    (1..=count)
        .flat_map(|n| [0, 0x10 + n, u8::from(n == count), 64])
        .collect()
}

fn pppoe(ppp: &[u8]) -> Vec<u8> {
    let length = u16::try_from(ppp.len()).unwrap();
    join(&[&[0x11, 0, 0, 7], &length.to_be_bytes(), ppp])
}

/// A data frame of 802.11 from the access point: control, duration, receiver, access point, source, sequence.
fn wifi(p: &Packet, control: [u8; 2], more: &[u8], body: &[u8]) -> Vec<u8> {
    let macs = p.macs();
    join(&[
        &control,
        &[0, 0],
        &macs[..6],
        &[2, 9, 9, 9, 9, 9],
        &macs[6..],
        &[0x10, 0],
        more,
        body,
    ])
}

const VXLAN: [u8; 8] = [8, 0, 0, 0, 0, 0, 42, 0];

/// CAPWAP: header of two words, radio 1, 802.11 or not.
fn capwap(native: u8, inside: &[u8]) -> Vec<u8> {
    let header = [0, 2 << 3, 0x40 | 1 << 1 | native, 0, 0, 0, 0, 0];
    over_udp(5_247, &header, inside)
}

fn erspan3(p: &Packet, platform: bool) -> Vec<u8> {
    let mut header = vec![0, 0, 0, 9, 0x20, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0x0e];
    if platform {
        header[15] |= 1;
        header.extend([0x77; 8]);
    }
    over_gre(0x1000, 0x22eb, &header, &p.frame())
}

fn geneve(kind: u16, options: &[u8], inside: &[u8]) -> Vec<u8> {
    let words = u8::try_from(options.len() / 4).unwrap();
    let header = join(&[&[words, 0x40], &kind.to_be_bytes(), &[0, 0, 42, 0], options]);
    over_udp(6_081, &header, inside)
}

fn vxlan(header: [u8; 8], p: &Packet) -> Vec<u8> {
    over_udp(4_789, &header, &p.frame())
}

fn gtp(flags: u8, more: &[u8], p: &Packet) -> Vec<u8> {
    let length = u16::try_from(p.ip.len() + more.len()).unwrap();
    let header = join(&[
        &[0x30 | flags, 255],
        &length.to_be_bytes(),
        &[0, 0, 0, 9],
        more,
    ]);
    over_udp(2_152, &header, &p.ip)
}

/// IPv6 extension headers before the transport header.
fn extended(p: &Packet, chain: &[(u8, usize)]) -> Vec<u8> {
    let mut ip = p.ip[..40].to_vec();
    let mut next = chain.iter().skip(1).map(|(number, _)| *number);
    let mut bytes = Vec::new();
    for (number, length) in chain {
        let mut header = vec![0; *length];
        header[0] = next.next().unwrap_or(6);
        header[1] = u8::try_from(match number {
            44 => 0,
            51 => length / 4 - 2,
            _ => length / 8 - 1,
        })
        .unwrap();
        bytes.extend(header);
    }
    ip[6] = chain[0].0;
    let length = u16::try_from(bytes.len() + p.ip.len() - 40).unwrap();
    ip[4..6].copy_from_slice(&length.to_be_bytes());
    join(&[&ip, &bytes, &p.ip[40..]])
}

/// An authentication header before the transport header, of either version.
fn authenticated(p: &Packet) -> Vec<u8> {
    if p.v6 {
        return extended(p, &[(51, 24)]);
    }
    let mut ip = p.ip.clone();
    ip[9] = 51;
    let length = u16::try_from(ip.len() + 24).unwrap();
    ip[2..4].copy_from_slice(&length.to_be_bytes());
    let header = [
        6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
    ];
    ip.splice(20..20, header);
    ip
}

use Tunnel::{
    Ayiya, Capwap, Erspan, Geneve, Gre, Gtp, HpErm, Ip, L2tp, Mpls, Pbb, Pppoe, Teredo, Tzsp, Vxlan,
};

/// Tags and other headers of the link.
pub(crate) const LINK: &[Wrap] = &[
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
];

/// What carries packets over IP.
pub(crate) const OVER_IP: &[Wrap] = &[
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

/// What carries packets over UDP.
pub(crate) const OVER_UDP: &[Wrap] = &[
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

/// One inside the other.
pub(crate) const NESTED: &[Wrap] = &[
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
