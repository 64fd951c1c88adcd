//! Who is there? Asked by ICMP echo or ARP.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::{
        site::{inside, net},
        world::{Id, World},
    },
    wire::{
        arp,
        burst::{Burst, MICRO, MILLI, SECOND},
        dice::Dice,
        frame,
    },
};

pub(super) struct HostSweep;

/// Who of the house is in a subnet.
fn members(w: &World, net: u8, time: u64) -> Vec<Id> {
    (0..w.hosts.len())
        .filter(|id| w.address(*id, time).octets()[..3] == inside(net, 0).octets()[..3])
        .collect()
}

fn echo(w: &mut World, d: &mut Dice, t: u64, from: Id, net: u8, host: u8) {
    let target = inside(net, host);
    let there = (0..w.hosts.len()).find(|id| w.address(*id, t) == target);
    let mut way = w.way(from, from, t);
    way.to = target;
    way.to_mac = w.router;
    let id = w.number(from);
    let mut burst = Burst::new(t, d.number());
    frame::echo(&mut burst, &way, false, id, u16::from(host));
    if let Some(there) = there {
        burst.wait(400 * MICRO);
        let (back, id) = (w.way(there, from, t), w.number(there));
        frame::echo(&mut burst, &back, true, id, u16::from(host));
    }
    w.play(burst);
}

fn ask(w: &mut World, d: &mut Dice, t: u64, from: Id, net: u8, host: u8) {
    let target = inside(net, host);
    let (mac, address) = (w.hosts[from].mac, w.address(from, t));
    let mut burst = Burst::new(t, d.number());
    arp::ask(&mut burst, mac, address, target);
    if let Some(there) = (0..w.hosts.len()).find(|id| w.address(*id, t) == target) {
        burst.wait(200 * MICRO);
        arp::tell(&mut burst, w.hosts[there].mac, target, (mac, address));
    }
    w.play(burst);
}

fn small(nth: usize) -> u8 {
    u8::try_from(nth % 253 + 1).unwrap_or(1)
}

impl Attack for HostSweep {
    fn class(&self) -> &'static str {
        "host_sweep"
    }

    fn variants(&self) -> usize {
        3
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let (from, net) = match scene.variant {
            0 => (scene.intruder(), net::IMAGING),
            1 => (scene.rogue(net::OFFICE), net::OFFICE),
            _ => (scene.guest(), net::SERVERS),
        };
        let victims = members(scene.w, net, scene.begin);
        match scene.variant {
            0 => scene.repeat(253, between(8, 30, MILLI), move |w, d, t, nth| {
                echo(w, d, t, from, net, small(nth));
            }),
            1 => scene.repeat(253, between(2, 20, MILLI), move |w, d, t, nth| {
                ask(w, d, t, from, net, small(nth));
            }),
            // One in a minute and a half.
            _ => scene.repeat(60, between(50, 130, SECOND), move |w, d, t, nth| {
                echo(w, d, t, from, net, small(nth));
            }),
        }
        Roles {
            suspects: vec![from],
            victims: victims.into_iter().filter(|id| *id != from).collect(),
        }
    }
}
