//! Data sent out in small portions for days.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Web},
    wire::burst::{DAY, MINUTE, SECOND},
};

pub(in crate::attack) struct SlowTheft;

impl Attack for SlowTheft {
    fn class(&self) -> &'static str {
        "slow_theft"
    }

    fn lasts(&self, _variant: usize) -> Option<u64> {
        Some(5 * DAY)
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        // From the database to a host that nobody knew; from a workstation to one that everyone uses.
        let (from, to, size) = if scene.variant == 0 {
            (scene.site.database, scene.outside(&[443]), 6_000_000)
        } else {
            (scene.workstation(), scene.site.web[4], 20_000_000)
        };
        let size = scene.about(size) as u64;
        scene.repeat(18, between(300, 420, MINUTE), move |w, d, t, _| {
            let it = Web {
                rounds: 3,
                up: size / 3,
                down: 400,
                think: 2 * SECOND,
                ..talk::HTTPS
            };
            talk::web(w, d, t, from, to, &it);
        });
        Roles {
            suspects: vec![from],
            victims: vec![from],
        }
    }
}
