//! A back door: a device answers where it never did.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::talk::{self, Plain},
    wire::burst::{MINUTE, SECOND},
};

pub(super) struct NewService;

impl Attack for NewService {
    fn class(&self) -> &'static str {
        "new_service"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.workstation();
        // A shell at a modality, or at a pump.
        let (device, port, many) = if scene.variant == 0 {
            let nth = scene.d.index(scene.site.modalities.len());
            (scene.site.modalities[nth].host, 4_444, 8)
        } else {
            (scene.pump(), 23, 2)
        };
        let many = scene.about(many);
        scene.repeat(many, between(3, 15, MINUTE), move |w, d, t, _| {
            let rounds = d.range(10, 60);
            let it = Plain {
                port,
                greeting: b"",
                rounds,
                up: 40,
                down: 300,
                think: 3 * SECOND,
                ..talk::SSH
            };
            talk::plain(w, d, t, from, device, &it);
        });
        Roles {
            suspects: vec![device, from],
            victims: vec![device],
        }
    }
}
