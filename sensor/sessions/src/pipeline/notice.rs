//! Notices: what hosts say of themselves outside of any session.

use std::net::{IpAddr, SocketAddr};

use sensor_common::{event::ChunkHeader, key::Direction};
use sensor_facts::{
    address::addresses,
    observation::{Mac, Observation, What},
    time::Time,
};

use super::driver::Pipeline;
use crate::protocol::notice::{
    learn::learn,
    read::{Way, read},
};

impl Pipeline {
    /// Takes the tape of a notice.
    pub(super) fn notice(&mut self, header: &ChunkHeader, direction: Direction, tape: &[u8]) {
        let (a, b) = addresses(&header.key);
        let way = if direction == Direction::AToB {
            Way { from: a, to: b }
        } else {
            Way { from: b, to: a }
        };
        let Ok(notices) = read(tape, way) else {
            self.stats.bad_tapes += 1;
            return;
        };
        let now = self.options.timebase.wall(header.header.time);
        for notice in notices {
            if let Some((ends, what)) = learn(&mut self.inventory, notice, way, now) {
                self.observe_hosts((ends.from, what.frame_mac()), ends.to, now, what);
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
