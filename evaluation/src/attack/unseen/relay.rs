//! Logins that are lured to a workstation and passed on to a server.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::{
        talk::{self, Plain},
        world::Id,
    },
    wire::burst::{MILLI, MINUTE},
};

pub(in crate::attack) struct CredentialRelay;

impl Attack for CredentialRelay {
    fn class(&self) -> &'static str {
        "credential_relay"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        let others: Vec<Id> = scene
            .site
            .office
            .iter()
            .copied()
            .filter(|id| *id != from)
            .collect();
        let many = if scene.variant == 0 { 14 } else { 5 };
        let lured = scene.d.some(&others, many);
        let server = if scene.variant == 0 {
            scene.site.directories[0]
        } else {
            scene.site.files
        };
        let mut victims = lured.clone();
        victims.push(server);
        scene.repeat(lured.len(), between(2, 14, MINUTE), move |w, d, t, nth| {
            let login = Plain {
                rounds: 4,
                up: 420,
                down: 380,
                ..talk::SMB
            };
            talk::plain(w, d, t, lured[nth], from, &login);
            let it = Plain {
                rounds: d.range(6, 40),
                down: 6_000,
                ..talk::SMB
            };
            talk::plain(w, d, t + 60 * MILLI, from, server, &it);
        });
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
