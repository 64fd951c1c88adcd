//! An intruder who was there before the sensor: what it does is a part of what is learnt.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::{
        association::Association,
        talk::{self, Plain},
    },
    wire::{
        burst::{DAY, MINUTE, SECOND},
        dicom,
    },
};

pub(in crate::attack) struct EarlyIntruder;

impl Attack for EarlyIntruder {
    fn class(&self) -> &'static str {
        "early_intruder"
    }

    fn lasts(&self, _variant: usize) -> Option<u64> {
        Some(12 * DAY)
    }

    fn in_learning(&self, _variant: usize) -> bool {
        true
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.workstation();
        if scene.variant == 0 {
            // It asks its master for orders, and looks at the database now and then.
            let (to, database) = (scene.outside(&[443]), scene.site.database);
            scene.repeat(1_200, between(12, 18, MINUTE), move |w, d, t, nth| {
                talk::web(w, d, t, from, to, &talk::HTTPS);
                if nth % 40 == 20 {
                    let it = Plain {
                        rounds: 80,
                        ..talk::SSH
                    };
                    talk::plain(w, d, t + MINUTE, from, database, &it);
                }
            });
            return Roles {
                suspects: vec![from],
                victims: vec![database],
            };
        }
        // It asks the archive for patients, a few at a time.
        let archive = scene.site.archives[0].clone();
        let victims = vec![archive.host];
        scene.repeat(400, between(30, 60, MINUTE), move |w, d, t, _| {
            let me = crate::attack::ae_brute_force::tool("WEBVIEW");
            let mut it = Association::open(w, d, t, (from, &me), &archive, &[dicom::FIND]);
            for _ in 0..d.range(10, 40) {
                let results = d.range(1, 40);
                it.find(d, 1, dicom::FIND, results);
                it.burst.wait(SECOND);
            }
            it.release(w);
        });
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
