//! An update that was tampered with: who installs it reports to its maker.

use crate::{
    attack::{Attack, Roles, Scene},
    hospital::{
        talk::{self, Plain, Web},
        world::Id,
    },
    wire::burst::{HOUR, MINUTE, SECOND},
};

pub(in crate::attack) struct UpdateServer;

impl Attack for UpdateServer {
    fn class(&self) -> &'static str {
        "malicious_update"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let (update, master) = (scene.site.update, scene.outside(&[443]));
        // Half of the house, or a few.
        let many = if scene.variant == 0 {
            scene.site.office.len() / 2
        } else {
            5
        };
        let infected: Vec<Id> = scene.d.some(&scene.site.office, many);
        for host in infected.clone() {
            let first = scene.begin + scene.d.below(90 * MINUTE);
            scene.once(first, move |w, d, t| {
                let it = Plain {
                    rounds: 3,
                    down: 7_000_000,
                    ..talk::WSUS
                };
                talk::plain(w, d, t, host, update, &it);
            });
            for nth in 0..10_u64 {
                let time = first + (nth + 1) * HOUR / 2 + scene.d.below(5 * MINUTE);
                scene.once(time, move |w, d, t| {
                    let it = Web {
                        rounds: 2,
                        up: if nth == 6 { 3_000_000 } else { 500 },
                        down: 600,
                        think: SECOND,
                        ..talk::HTTPS
                    };
                    talk::web(w, d, t, host, master, &it);
                });
            }
        }
        let mut suspects = infected.clone();
        suspects.push(update);
        Roles {
            suspects,
            victims: infected,
        }
    }
}
