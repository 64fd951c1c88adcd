//! Twenty infected workstations that do the same at once, as a day of updates looks.

use crate::{
    attack::{Attack, Roles, Scene},
    hospital::{
        talk::{self, Plain, Web},
        world::Id,
    },
    wire::burst::{MINUTE, SECOND},
};

pub(in crate::attack) struct TwentyAtOnce;

/// Infected workstations.
const MANY: usize = 20;

impl Attack for TwentyAtOnce {
    fn class(&self) -> &'static str {
        "twenty_at_once"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let infected: Vec<Id> = scene.d.some(&scene.site.office, MANY);
        let outside = scene.outside(&[443]);
        let modalities: Vec<Id> = scene.site.modalities.iter().map(|it| it.host).collect();
        let victims = scene.d.some(&modalities, 8);
        let theft = scene.variant == 0;
        for host in infected.clone() {
            let time = scene.begin + scene.d.below(40 * MINUTE);
            let targets = victims.clone();
            scene.once(time, move |w, d, t| {
                if theft {
                    let it = Web {
                        rounds: 4,
                        up: 12_000_000,
                        down: 400,
                        think: 20 * SECOND,
                        ..talk::HTTPS
                    };
                    talk::web(w, d, t, host, outside, &it);
                    return;
                }
                for (nth, target) in targets.iter().enumerate() {
                    let it = Plain {
                        port: 104,
                        rounds: 3,
                        ..talk::HTTP
                    };
                    let at = t + nth as u64 * 20 * SECOND;
                    talk::plain(w, d, at, host, *target, &it);
                    talk::refused(w, d, at + SECOND, host, *target, 445);
                }
            });
        }
        let victims = if theft { infected.clone() } else { victims };
        Roles {
            suspects: infected,
            victims,
        }
    }
}
