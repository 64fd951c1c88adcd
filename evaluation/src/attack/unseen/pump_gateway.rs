//! The server of the infusion pumps in the hands of an intruder.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Plain, Web},
    wire::burst::{MILLI, MINUTE, SECOND},
};

pub(in crate::attack) struct PumpGateway;

impl Attack for PumpGateway {
    fn class(&self) -> &'static str {
        "pump_gateway"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let gateway = scene.site.gateways[scene.variant % scene.site.gateways.len()];
        if scene.variant == 0 {
            // It tries the maintenance port of pump after pump.
            let pumps = scene.d.some(&scene.site.pumps, scene.site.pumps.len() / 2);
            let victims = pumps.clone();
            scene.repeat(pumps.len(), between(20, 90, SECOND), move |w, d, t, nth| {
                if d.chance(0.3) {
                    talk::refused(w, d, t, gateway, pumps[nth], 8_080);
                    return;
                }
                let it = Plain {
                    port: 8_080,
                    rounds: 6,
                    up: 4_000,
                    down: 900,
                    think: 300 * MILLI,
                    ..talk::HTTP
                };
                talk::plain(w, d, t, gateway, pumps[nth], &it);
            });
            return Roles {
                suspects: vec![gateway],
                victims,
            };
        }
        // It asks its master for orders, and looks at the database.
        let (outside, database) = (scene.outside(&[443]), scene.site.database);
        scene.repeat(40, between(4, 8, MINUTE), move |w, d, t, nth| {
            talk::web(w, d, t, gateway, outside, &talk::HTTPS);
            if nth % 8 == 5 {
                let it = Plain {
                    port: 1_521,
                    greeting: b"",
                    rounds: 30,
                    ..talk::SSH
                };
                talk::plain(w, d, t + MINUTE, gateway, database, &it);
            }
            if nth == 30 {
                let it = Web {
                    rounds: 3,
                    up: 9_000_000,
                    down: 400,
                    think: SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t + 2 * MINUTE, gateway, outside, &it);
            }
        });
        Roles {
            suspects: vec![gateway],
            victims: vec![database],
        }
    }
}
