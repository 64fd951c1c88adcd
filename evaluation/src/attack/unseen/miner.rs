//! A device that computes for someone else.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Plain},
    wire::burst::{MINUTE, SECOND},
};

pub(in crate::attack) struct Miner;

impl Attack for Miner {
    fn class(&self) -> &'static str {
        "miner"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = if scene.variant == 0 {
            scene.workstation()
        } else {
            scene.site.modalities[1].host
        };
        let to = scene.outside(&[3_333]);
        // Jobs and shares in one connection after the other, each of half an hour.
        scene.repeat(14, between(31, 34, MINUTE), move |w, d, t, _| {
            let it = Plain {
                port: 3_333,
                request: b"{\"id\":1,\"method\":\"submit\"",
                answer: b"{\"id\":1,\"result\":",
                rounds: 90,
                up: 240,
                down: 320,
                think: 20 * SECOND,
                ..talk::HTTP
            };
            talk::plain(w, d, t, from, to, &it);
        });
        Roles {
            suspects: vec![from],
            victims: vec![from],
        }
    }
}
