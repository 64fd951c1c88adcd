//! Connections asked for and never used.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::{
        site::{inside, net},
        world::{Id, World},
    },
    wire::{
        burst::{MICRO, MILLI},
        dice::Dice,
    },
};

pub(super) struct SynFlood;

/// Asks under a made-up address.
fn ask(w: &mut World, d: &mut Dice, t: u64, from: Id, to: Id, port: u16) {
    let client = u16::try_from(d.range(1_025, 65_000)).unwrap_or(1_025);
    let (mut tcp, mut burst) = w.tcp_from(d, t, from, to, [client, port]);
    let last = u8::try_from(d.range(2, 254)).unwrap_or(2);
    let subnet = u8::try_from(d.range(100, 180)).unwrap_or(100);
    tcp.spoof(inside(subnet, last));
    tcp.half(&mut burst);
    w.play(burst);
}

impl Attack for SynFlood {
    fn class(&self) -> &'static str {
        "syn_flood"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        if scene.variant == 0 {
            let (from, to) = (scene.rogue(net::OFFICE), scene.site.ehr);
            let many = scene.about(60_000);
            scene.repeat(
                many,
                |d| d.wait(MILLI),
                move |w, d, t, _| ask(w, d, t, from, to, 443),
            );
            return Roles {
                suspects: vec![from],
                victims: vec![to],
            };
        }
        // Slower, under its own name, at the archive.
        let (from, to) = (scene.workstation(), scene.site.archives[1].host);
        let many = scene.about(9_000);
        scene.repeat(
            many,
            |d| d.wait(40_000 * MICRO),
            move |w, d, t, _| {
                let (mut tcp, mut burst) = w.tcp(d, t, from, to, 104);
                tcp.half(&mut burst);
                w.play(burst);
            },
        );
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
