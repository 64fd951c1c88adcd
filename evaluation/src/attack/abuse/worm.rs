//! A worm: who is infected infects others by file sharing.

use crate::{
    attack::{Attack, Roles, Scene},
    hospital::{
        talk::{self, Plain},
        world::Id,
    },
    wire::burst::{MINUTE, SECOND},
};

pub(in crate::attack) struct Worm;

impl Attack for Worm {
    fn class(&self) -> &'static str {
        "worm"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        // In so many minutes the number of those infected doubles.
        let doubling = if scene.variant == 0 { 12 } else { 60 };
        let hosts: Vec<Id> = scene.d.some(&scene.site.office, 32);
        let mut begin = vec![scene.begin];
        for nth in 1..hosts.len() {
            // Infected by one of those before it, in the generation of its number.
            let generation = u64::from(nth.ilog2()) + 1;
            let late = scene.d.below(doubling * MINUTE / 2);
            let time = scene.begin + generation * doubling * MINUTE + late;
            begin.push(time);
            let (from, to) = (hosts[scene.d.index(1 << nth.ilog2())], hosts[nth]);
            scene.once(time, move |w, d, t| {
                let it = Plain {
                    rounds: 30,
                    up: 40_000,
                    down: 300,
                    ..talk::SMB
                };
                talk::plain(w, d, t, from, to, &it);
            });
        }
        for (host, time) in hosts.iter().copied().zip(begin) {
            // Each tries some others in vain.
            let others = scene.d.some(&scene.site.office, 6);
            scene.once(time + 2 * MINUTE, move |w, d, t| {
                for (nth, other) in others.iter().filter(|it| **it != host).enumerate() {
                    let at = t + nth as u64 * 25 * SECOND;
                    talk::refused(w, d, at, host, *other, 445);
                }
            });
        }
        Roles {
            suspects: hosts.clone(),
            victims: hosts,
        }
    }
}
