//! Passwords guessed at SSH or remote desktop.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::{talk, world::Id},
    wire::burst::{MILLI, SECOND},
};

pub(super) enum LoginBruteForce {
    Ssh,
    Rdp,
}

impl LoginBruteForce {
    const fn port(&self) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Rdp => 3_389,
        }
    }
}

impl Attack for LoginBruteForce {
    fn class(&self) -> &'static str {
        match self {
            Self::Ssh => "ssh_brute_force",
            Self::Rdp => "rdp_brute_force",
        }
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let port = self.port();
        let servers: Vec<Id> = scene
            .site
            .servers()
            .into_iter()
            .filter(|id| scene.w.hosts[*id].services.contains(&port))
            .collect();
        let from = scene.intruder();
        let (many, victims) = if scene.variant == 0 {
            (160, 1)
        } else {
            (84, 3)
        };
        let many = scene.about(many);
        let victims = scene.d.some(&servers, victims);
        let targets = victims.clone();
        let slow = scene.variant > 0;
        scene.repeat(
            many,
            move |d| {
                if slow {
                    d.range(60, 180) * SECOND
                } else {
                    d.range(700, 2_600) * MILLI
                }
            },
            move |w, d, t, nth| {
                talk::failed_login(w, d, t, from, targets[nth % targets.len()], port);
            },
        );
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
