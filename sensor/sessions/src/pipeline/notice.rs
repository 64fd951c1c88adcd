//! Notices: what hosts say of themselves outside of any session.

use std::net::{IpAddr, SocketAddr};

use sensor_common::{event::ChunkHeader, key::Direction};

use super::Pipeline;
use crate::protocol::notice::{self, Said};
use sensor_facts::{
    address::addresses,
    observation::{Observation, What},
    time::Time,
};

impl Pipeline {
    /// Takes the tape of a notice.
    pub(super) fn notice(&mut self, header: &ChunkHeader, direction: Direction, tape: &[u8]) {
        let Ok(said) = notice::read(tape) else {
            self.stats.bad_tapes += 1;
            return;
        };
        let now = self.options.timebase.wall(header.header.time);
        for said in said {
            match said {
                Said::Arp(arp) => {
                    self.inventory.arp(&arp, now);
                    let (client, server) = (arp.sender.into(), arp.target.into());
                    self.say(client, server, now, What::Arp(Box::new(arp)));
                }
                Said::Dhcp(dhcp) => self.inventory.dhcp(&dhcp, now),
                Said::Name(name, address) => {
                    let (a, b) = addresses(&header.key);
                    let sender = if direction == Direction::AToB { a } else { b };
                    // A host may only name itself.
                    if sender == address {
                        self.inventory.named(address, &name, now);
                    }
                }
            }
        }
        self.tell_moves();
    }

    /// Tells the detectors which devices changed their addresses.
    pub(super) fn tell_moves(&mut self) {
        for (before, after, time) in self.inventory.take_moves() {
            self.say(after, after, time, What::Moved { before });
        }
    }

    fn say(&mut self, client: IpAddr, server: IpAddr, time: Time, what: What) {
        if self.options.observe {
            self.seen.push(Observation {
                time,
                protocol: 0,
                client: SocketAddr::new(client, 0),
                server: SocketAddr::new(server, 0),
                what,
            });
        }
    }
}
