//! Data sent out of the house.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::talk::{self, Web},
    wire::burst::{MINUTE, SECOND},
};

pub(super) struct Exfiltration;

impl Attack for Exfiltration {
    fn class(&self) -> &'static str {
        "exfiltration"
    }

    fn variants(&self) -> usize {
        3
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        // All at once; from the database, in pieces; to a service that half the house uses.
        let (from, to, parts, size) = match scene.variant {
            0 => (scene.workstation(), scene.outside(&[443]), 1, 900_000_000),
            1 => (scene.site.database, scene.outside(&[443]), 16, 14_000_000),
            _ => (scene.workstation(), scene.site.web[5], 6, 60_000_000),
        };
        let size = scene.about(size) as u64;
        scene.repeat(parts, between(12, 26, MINUTE), move |w, d, t, _| {
            let it = Web {
                rounds: 4,
                up: size / 4,
                down: 400,
                think: SECOND,
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
