//! Warnings about packets of an interface that can't be read.

use sensor_common::{
    counter::{Counter, Counters},
    unread,
};

/// Below so many packets a share says nothing.
const ENOUGH_PACKETS: u64 = 1_000;
/// Packets that carry no IP that could be read are worth a warning beyond this share, in per cent.
const UNREAD: u128 = 30;

/// What it brings that can't be read, where it is much.
pub(super) fn illegible(name: &str, counters: &Counters) -> Option<String> {
    let packets = counters.get(Counter::Packets);
    let (kind, most) = counters.unread.most()?;
    let unread = counters.get(Counter::NotIp) + counters.get(Counter::TunnelUnread);
    let share = |part: u64| u128::from(part) * 100 / u128::from(packets.max(1));
    if packets < ENOUGH_PACKETS || share(unread) < UNREAD {
        return None;
    }
    let words = unread::words(kind);
    let more = if share(most) < share(unread) {
        format!(
            " ({} % in all carry nothing that can be read)",
            share(unread)
        )
    } else {
        String::new()
    };
    Some(format!(
        "{} % of {name} is {words}{more}: what is in it is not seen",
        share(most)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_read_is_said_where_it_is_much() {
        let erm = unread::kind(unread::By::UdpPort, 7_932);
        let mut counters = Counters::ZERO;
        counters.add(Counter::Packets, 10_000);
        counters.add(Counter::TunnelUnread, 9_800);
        for _ in 0..9_800 {
            counters.unread.count(erm);
        }
        let said = illegible("mirror0", &counters).unwrap_or_default();
        assert!(
            said.starts_with("98 % of mirror0 is UDP port 7932: HP ERM mirror"),
            "{said}"
        );
        counters.add(Counter::Packets, 90_000);
        assert_eq!(illegible("mirror0", &counters), None);
    }

    #[test]
    fn many_kinds_do_not_hide_the_one_that_matters() {
        let macsec = unread::kind(unread::By::EtherType, 0x88e5);
        let mut counters = Counters::ZERO;
        for number in 0..20_000_u16 {
            counters.add(Counter::Packets, 3);
            counters.add(Counter::NotIp, 3);
            counters
                .unread
                .count(unread::kind(unread::By::EtherType, 0x9000 | number & 0xfff));
            counters.unread.count(macsec);
            counters.unread.count(macsec);
        }
        let said = illegible("mirror0", &counters).unwrap_or_default();
        assert!(
            said.contains("EtherType 0x88e5: MACsec (100 % in all"),
            "{said}"
        );
    }
}
