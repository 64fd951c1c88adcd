//! Extortion software on one workstation that encrypts the files of the file server.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Plain},
    wire::burst::{MILLI, MINUTE, SECOND},
};

pub(in crate::attack) struct RansomwareOnShares;

impl Attack for RansomwareOnShares {
    fn class(&self) -> &'static str {
        "ransomware_on_shares"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let (from, to) = (scene.workstation(), scene.site.files);
        // As fast as it can; or a few files at a time, for hours.
        let slow = scene.variant > 0;
        let (times, gap) = if slow {
            (50, between(5, 11, MINUTE))
        } else {
            (70, between(12, 28, SECOND))
        };
        let times = scene.about(times);
        scene.repeat(times, gap, move |w, d, t, _| {
            for (up, down) in [(240, 48_000), (48_000, 180)] {
                let it = Plain {
                    rounds: if slow { 15 } else { 70 },
                    up,
                    down,
                    think: 30 * MILLI,
                    ..talk::SMB
                };
                talk::plain(w, d, t + up, from, to, &it);
            }
        });
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
