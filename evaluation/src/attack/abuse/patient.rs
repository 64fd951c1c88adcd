//! An intruder who begins with little and takes a tenth more each time, so that it is never much more than before.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Web},
    wire::burst::{DAY, MINUTE, SECOND},
};

pub(in crate::attack) struct GrowingTheft;

impl Attack for GrowingTheft {
    fn class(&self) -> &'static str {
        "growing_theft"
    }

    fn lasts(&self, _variant: usize) -> Option<u64> {
        Some(12 * DAY)
    }

    fn in_learning(&self, _variant: usize) -> bool {
        true
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let (from, to) = (scene.workstation(), scene.site.web[7]);
        // A tenth more each day; a tenth more each three hours.
        let (first, period) = if scene.variant == 0 {
            (4_000_000.0, DAY)
        } else {
            (20_000.0, DAY / 8)
        };
        let begin = scene.begin;
        scene.repeat(400, between(32, 50, MINUTE), move |w, d, t, _| {
            let steps = (t - begin) / period;
            let growth = 1.1_f64.powi(i32::try_from(steps).unwrap_or(i32::MAX));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "some megabytes"
            )]
            let size = (first * growth).min(400e6) as u64;
            let it = Web {
                rounds: 2,
                up: size / 2,
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
