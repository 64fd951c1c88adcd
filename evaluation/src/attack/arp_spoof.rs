//! Someone who answers for others, and passes on what was meant for them.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::{
        site::net,
        talk::{self, Plain},
        world::{Id, World},
    },
    wire::{
        arp,
        burst::{Burst, MICRO, MILLI, MINUTE, SECOND},
        dice::Dice,
    },
};

pub(super) struct ArpSpoof;

/// Tells each of the two that the other is at `by`.
fn poison(w: &mut World, d: &mut Dice, t: u64, by: Id, pair: (Id, Id)) {
    let mut burst = Burst::new(t, d.number());
    let mac = w.hosts[by].mac;
    for (one, other) in [pair, (pair.1, pair.0)] {
        let to = (w.hosts[one].mac, w.address(one, t));
        arp::tell(&mut burst, mac, w.address(other, t), to);
        burst.wait(MILLI);
    }
    w.play(burst);
}

/// A conversation of the two by way of `by`: each packet is seen twice.
fn relay(w: &mut World, d: &mut Dice, t: u64, by: Id, (client, server): (Id, Id), it: &Plain<'_>) {
    let before = w.bursts.len();
    talk::plain(w, d, t, client, server, it);
    let mac = w.hosts[by].mac;
    for burst in w.bursts.split_off(before) {
        let mut whole = burst;
        let mut relayed = Burst::new(t, d.number());
        while let Some((time, frame)) = whole.take() {
            let (mut there, mut on) = (frame.to_vec(), frame.to_vec());
            there[..6].copy_from_slice(&mac);
            on[6..12].copy_from_slice(&mac);
            relayed.now = relayed.now.max(time);
            relayed.frame(|out| out.extend_from_slice(&there));
            relayed.now += 60 * MICRO;
            relayed.frame(|out| out.extend_from_slice(&on));
        }
        w.play(relayed);
    }
}

impl Attack for ArpSpoof {
    fn class(&self) -> &'static str {
        "arp_spoof"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let site = scene.site;
        // Between the record and its database; or between two workstations, for a short time.
        let (by, pair, port, minutes) = if scene.variant == 0 {
            (
                scene.rogue(net::SERVERS),
                (site.ehr, site.database),
                1_521,
                40,
            )
        } else {
            (
                scene.rogue(net::OFFICE),
                (site.office[1], site.office[2]),
                445,
                9,
            )
        };
        let minutes = scene.about(minutes);
        scene.repeat(
            minutes * 6,
            |d| d.about(10 * SECOND, 0.1),
            move |w, d, t, _| poison(w, d, t, by, pair),
        );
        scene.repeat(
            minutes,
            |d| d.about(MINUTE, 0.4),
            move |w, d, t, nth| {
                let pair = if nth % 2 == 0 { pair } else { (pair.1, pair.0) };
                let port = if nth % 2 == 0 { port } else { 445 };
                relay(
                    w,
                    d,
                    t,
                    by,
                    pair,
                    &Plain {
                        port,
                        rounds: 6,
                        ..talk::SMB
                    },
                );
            },
        );
        Roles {
            suspects: vec![by],
            victims: vec![pair.0, pair.1],
        }
    }
}
