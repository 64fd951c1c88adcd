//! Ports of a host or hosts of a port, tried one after another.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::world::{Id, World},
    wire::{
        burst::{MILLI, MINUTE, SECOND},
        dice::Dice,
        tcp::Side,
    },
};

pub(super) struct PortScan;

/// Tries a port, as a scanner does: open ones are reset after the handshake.
pub(super) fn probe(w: &mut World, d: &mut Dice, t: u64, from: Id, to: Id, port: u16) {
    let (mut tcp, mut burst) = w.tcp(d, t, from, to, port);
    if w.hosts[to].services.contains(&port) {
        tcp.open(&mut burst);
        tcp.reset(&mut burst, Side::Client);
    } else if d.chance(0.7) {
        tcp.refused(&mut burst);
    } else {
        tcp.unanswered(&mut burst, 1);
    }
    w.play(burst);
}

/// What scanners try first.
const COMMON: [u16; 24] = [
    22, 80, 443, 445, 3_389, 135, 139, 104, 11_112, 2_575, 6_661, 4_242, 1_433, 1_521, 3_306,
    5_432, 21, 23, 25, 8_080, 8_443, 5_900, 9_100, 161,
];

impl Attack for PortScan {
    fn class(&self) -> &'static str {
        "port_scan"
    }

    fn variants(&self) -> usize {
        3
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        let servers = scene.site.servers();
        match scene.variant {
            // A thousand ports of one server, fast.
            0 => {
                let to = *scene.d.pick(&servers);
                let many = scene.about(1_000);
                scene.repeat(many, between(3, 12, MILLI), move |w, d, t, nth| {
                    let port = u16::try_from(nth + 1).unwrap_or(1);
                    probe(w, d, t, from, to, port);
                });
                Roles {
                    suspects: vec![from],
                    victims: vec![to],
                }
            }
            // Common ports of a few servers, one in some minutes.
            1 => {
                let victims = scene.d.some(&servers, 3);
                let targets = victims.clone();
                let many = scene.about(72);
                scene.repeat(many, between(100, 260, SECOND), move |w, d, t, nth| {
                    let to = targets[nth % targets.len()];
                    probe(
                        w,
                        d,
                        t,
                        from,
                        to,
                        COMMON[nth / targets.len() % COMMON.len()],
                    );
                });
                Roles {
                    suspects: vec![from],
                    victims,
                }
            }
            // One port of all that has to do with images and pumps.
            _ => {
                let mut victims: Vec<Id> = scene.site.modalities.iter().map(|it| it.host).collect();
                victims.extend(scene.site.archives.iter().map(|it| it.host));
                victims.extend(scene.site.pumps.iter().take(30));
                let targets = victims.clone();
                scene.repeat(
                    victims.len(),
                    |d| d.wait(MINUTE / 20),
                    move |w, d, t, nth| probe(w, d, t, from, targets[nth], 104),
                );
                Roles {
                    suspects: vec![from],
                    victims,
                }
            }
        }
    }
}
