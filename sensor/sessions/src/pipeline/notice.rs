//! Notices: what hosts say of themselves outside of any session.

use std::net::{IpAddr, SocketAddr};

use sensor_common::{event::ChunkHeader, key::Direction};
use sensor_facts::{
    address::addresses,
    observation::{Mac, Observation, What},
    time::Time,
};

use super::driver::Pipeline;
use crate::protocol::notice::{learn::learn, read::read};

impl Pipeline {
    /// Takes the tape of a notice.
    pub(super) fn notice(&mut self, header: &ChunkHeader, direction: Direction, tape: &[u8]) {
        let Ok(notices) = read(tape) else {
            self.stats.bad_tapes += 1;
            return;
        };
        let now = self.options.timebase.wall(header.header.time);
        let (a, b) = addresses(&header.key);
        let sender = if direction == Direction::AToB { a } else { b };
        for notice in notices {
            let learnt = learn(&mut self.inventory, notice, sender, now);
            if let Some((client, server, what)) = learnt {
                let mac = match &what {
                    What::Arp(arp) => arp.frame_mac,
                    _ => [0; 6],
                };
                self.observe_hosts((client, mac), server, now, what);
            }
        }
        self.report_moves();
    }

    /// Tells the detectors which devices changed their addresses.
    pub(super) fn report_moves(&mut self) {
        for (before, after, time) in self.inventory.take_moves() {
            self.observe_hosts((after, [0; 6]), after, time, What::Moved { before });
        }
    }

    /// Tells the detectors what a client, which sends from this Ethernet address, does outside of any flow.
    fn observe_hosts(
        &mut self,
        (client, mac): (IpAddr, Mac),
        server: IpAddr,
        time: Time,
        what: What,
    ) {
        if self.options.observe {
            self.observations.push(Observation {
                time,
                protocol: 0,
                client: SocketAddr::new(client, 0),
                server: SocketAddr::new(server, 0),
                macs: [mac, [0; 6]],
                what,
            });
        }
    }
}
