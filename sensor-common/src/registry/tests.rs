use super::*;

#[test]
fn states_of_the_protocols_follow_each_other() {
    let mut last = Protocol::None.last_state();
    for protocol in Protocol::ALL {
        assert!(last < protocol.first_state(), "{protocol:?}");
        assert!(
            protocol.first_state() <= protocol.last_state(),
            "{protocol:?}"
        );
        last = protocol.last_state();
    }
}

#[test]
fn a_first_byte_is_of_one_protocol() {
    for byte in 0..=255 {
        let of = Protocol::ALL.iter().filter(|one| one.may_begin(byte));
        assert!(of.count() <= 1, "{byte:#x}");
    }
}

#[test]
fn an_index_gives_its_protocol() {
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::from_index(*protocol as u8), *protocol);
        assert!(protocol.name().is_some() && protocol.title().is_some());
        assert_eq!(
            protocol.name().and_then(Protocol::from_name),
            Some(*protocol)
        );
    }
    assert_eq!(Protocol::from_index(200), Protocol::None);
    assert_eq!(Protocol::None.name(), None);
}

#[test]
fn a_tag_is_read_back_from_its_number() {
    let mut known = 0;
    for number in 0..=255 {
        if let Ok(tag) = Tag::try_from(number) {
            assert_eq!(tag as u8, number);
            known += 1;
        }
    }
    assert_eq!(known, 32);
}

#[test]
fn datagrams_are_told_by_their_ports() {
    assert_eq!(Topic::of_udp(68, 67), Topic::Dhcp);
    assert_eq!(Topic::of_udp(67, 68), Topic::Dhcp);
    assert_eq!(Topic::of_udp(5_353, 5_353), Topic::Mdns);
    assert_eq!(Topic::of_udp(40_000, 5_353), Topic::None);
    for kind in [134, 135, 136] {
        assert_eq!(Topic::of_icmp6(kind), Topic::Neighbour);
    }
    assert_eq!(Topic::of_icmp6(128), Topic::None);
}
