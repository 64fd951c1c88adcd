//! `docs/encapsulations.md`, made from the lists of what is unwrapped, of kinds that have a name, and of link types.

use std::{env, fmt::Write, fs, path::Path};

use sensor_common::{
    packet::{Tunnel, unread},
    parse::{MAX_LAYERS, MAX_TAGS, MAX_TUNNELS},
};
use sensor_sessions::capture::link::Link;

const HEAD: &str = "# Encapsulations

A mirror can bring packets inside of others. Wardtap reads what is inside, in the kernel and in `replay` by the same code, and shows
the inner conversation: its addresses, ports and protocols. The outer flow of a tunnel that was unwrapped is not shown.

This page is made from the lists in `sensor-common/src/packet/tunnel.rs`, `sensor-common/src/packet/unread.rs` and
`sensor/sessions/src/capture/link/mod.rs`; after a change there run `UPDATE_DOCS=1 cargo test -p sensor-sessions --test encapsulations_page`.
`tests/tests/encapsulations/main.rs` wraps a DICOM association over IPv4 and IPv6 in each of them, and demands the events of the association without it.

## Read in the kernel and in replay
The name is in `tunnels` of a flow event and a label of `wardtap_tunnel_packets_total`.

| encapsulation | name | recognised by | inside |
| --- | --- | --- | --- |
";

const TAGS: &str = "
**Tags and headers of the link**, which are not named in events: VLAN tags (EtherType 0x8100, 0x88a8, 0x9100, 0x9200 and 0x9300), VN-Tag (0x8926), E-Tag (IEEE
802.1BR, 0x893f), the security group tag of Cisco (0x8909), HSR (0x892f), LLC with SNAP, IPv6 extension headers in any order, and the authentication header of IPv4.
A flow event lists the VLAN ids behind the innermost Ethernet addresses, outer first; of more than three, the first two and the last. Below MPLS and PPPoE the
tags of the same frame stay.

";

const PLAUSIBLE: &str = "
**A UDP port or an IP protocol alone is not enough.** The tunnel's header must have the version, type and flags of its standard, and behind it an IP or ARP header whose lengths hold
must be found. Otherwise the packet stays in the flow of the tunnel's own addresses and ports, and counts in `tunnel_unread`. Reserved bits are ignored, as receivers do.
What is inside is as easy to forge as any packet: see the [threat model](threat-model.md).

**Fragments.** The first fragment of a tunnel's packet is unwrapped as far as it goes; later ones carry no tunnel header and count in `fragment`.

";

const COUNTED: &str = "
## Counted only
A frame that carries no IP counts in `not_ip`. What could not be read is also counted by its kind: EtherType, LLC addresses, PPP protocol, GRE protocol, UDP port of a tunnel,
802.11 frame control. `wardtap status --json` and `wardtap_unread_packets` show the most frequent kinds, and `wardtap status` warns when
they are much of what an interface brings, for example `98 % of mirror0 is UDP port 7932: HP ERM mirror: what is in it is not seen`. These kinds have names; others are shown by
their number:

";

const LINKS: &str = "
## Link types of capture files
`replay` reads pcap (with microseconds or nanoseconds, and the modified format with longer packet headers) and pcapng.

| begins with | link types |
| --- | --- |
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for tunnel in Tunnel::ALL {
        writeln!(
            page,
            "| {} | `{}` | {} | {} |",
            tunnel.title().trim(),
            tunnel.name(),
            tunnel.found_by(),
            tunnel.inside()
        )
        .unwrap();
    }
    page.push_str(TAGS);
    writeln!(
        page,
        "**Bounds.** {MAX_TUNNELS} tunnels, one inside the other (more count in `tunnel_depth`), {MAX_TAGS} tags behind a pair of Ethernet addresses (`vlan_depth`), {MAX_LAYERS} layers in all, of which four extension headers are one (`ipv6_extension_depth`)."
    )
    .unwrap();
    page.push_str(PLAUSIBLE);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page.push_str(COUNTED);
    for kind in unread::named() {
        writeln!(page, "- {}", unread::words(kind)).unwrap();
    }
    page.push_str(LINKS);
    for (link, numbers) in Link::ALL {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        writeln!(page, "| {} | {} |", link.title().trim(), numbers.join(", ")).unwrap();
    }
    page
}

/// `UPDATE_DOCS=1` writes the page instead of comparing it.
#[test]
fn the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/encapsulations.md");
    let page = page();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "{} is not current: run this with UPDATE_DOCS=1",
        path.display()
    );
}

#[test]
fn tunnels_have_bits_and_counters_of_their_own() {
    for (bit, tunnel) in Tunnel::ALL.iter().enumerate() {
        assert_eq!(*tunnel as u16, 1 << bit);
        assert_eq!(Tunnel::COUNTERS[bit], tunnel.counter());
        assert_eq!(
            tunnel.counter().label(),
            format!("tunnel_{}", tunnel.name())
        );
    }
}

#[test]
fn kinds_have_one_name_and_number() {
    let kinds: Vec<u32> = unread::named().collect();
    for (at, kind) in kinds.iter().enumerate() {
        assert!(!kinds[..at].contains(kind), "{}", unread::words(*kind));
    }
    let words = unread::words(unread::kind(unread::By::UdpPort, 7_932)).to_string();
    assert_eq!(words, "UDP port 7932: HP ERM mirror");
    let words = unread::words(unread::kind(unread::By::EtherType, 0x1234)).to_string();
    assert_eq!(words, "EtherType 0x1234");
}
