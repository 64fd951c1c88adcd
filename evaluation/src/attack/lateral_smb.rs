//! Extortion software that spreads over file sharing, and writes.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::{
        talk::{self, Plain},
        world::Id,
    },
    wire::burst::{MINUTE, SECOND},
};

pub(super) struct LateralSmb;

impl Attack for LateralSmb {
    fn class(&self) -> &'static str {
        "lateral_smb"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.workstation();
        let others: Vec<Id> = scene
            .site
            .office
            .iter()
            .copied()
            .filter(|id| *id != from)
            .collect();
        let slow = scene.variant > 0;
        let victims = scene.d.some(&others, if slow { 7 } else { 45 });
        let targets = victims.clone();
        scene.repeat(
            victims.len(),
            move |d| {
                if slow {
                    d.range(4, 16) * MINUTE
                } else {
                    d.range(1, 9) * SECOND
                }
            },
            move |w, d, t, nth| {
                if d.chance(0.2) {
                    talk::refused(w, d, t, from, targets[nth], 445);
                    return;
                }
                let rounds = d.range(20, 80);
                let it = Plain {
                    rounds,
                    up: 60_000,
                    down: 180,
                    ..talk::SMB
                };
                talk::plain(w, d, t, from, targets[nth], &it);
            },
        );
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
