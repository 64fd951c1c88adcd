//! Someone who may look at records, and looks at far more of them than the work needs.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::{
        association::Association,
        talk::{self, Web},
    },
    wire::{
        burst::{MINUTE, SECOND},
        dicom,
    },
};

pub(in crate::attack) struct Insider;

impl Attack for Insider {
    fn class(&self) -> &'static str {
        "insider"
    }

    fn hour(&self, _variant: usize) -> Option<u64> {
        Some(10)
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let many = scene.about(24);
        if scene.variant == 0 {
            // Page after page of the health record.
            let (from, to) = (scene.workstation(), scene.site.ehr);
            scene.repeat(many, between(3, 9, MINUTE), move |w, d, t, _| {
                let it = Web {
                    rounds: d.range(60, 140),
                    up: 900,
                    down: 14_000,
                    think: 2 * SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t, from, to, &it);
            });
            return Roles {
                suspects: vec![from],
                victims: vec![to],
            };
        }
        // A reader who fetches studies of patients that are not the reader's.
        let me = scene.site.reading[scene.reader()].clone();
        let archive = scene.site.archives[0].clone();
        let roles = Roles {
            suspects: vec![me.host],
            victims: vec![archive.host],
        };
        scene.repeat(many, between(3, 9, MINUTE), move |w, d, t, _| {
            let contexts = [dicom::FIND, dicom::MOVE];
            let mut it =
                Association::open(w, d, t, (me.host, &me.application), &archive, &contexts);
            for _ in 0..d.range(4, 12) {
                let results = d.range(1, 20);
                it.find(d, 1, dicom::FIND, results);
                it.burst.wait(4 * SECOND);
            }
            let images = d.range(20, 90);
            let count = u16::try_from(images).unwrap_or(0);
            let then = it.move_to(d, 3, &me.application.title, count, images * SECOND / 20);
            it.release(w);
            Association::deliver(w, d, then, (&archive, &me), (dicom::CT, images, 526_000));
        });
        roles
    }
}
