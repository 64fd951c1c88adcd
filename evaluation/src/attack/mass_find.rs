//! Patients and studies harvested by queries.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::association::Association,
    wire::{
        burst::{MILLI, MINUTE, SECOND},
        dicom,
    },
};

pub(super) struct MassFind;

impl Attack for MassFind {
    fn class(&self) -> &'static str {
        "mass_find"
    }

    fn variants(&self) -> usize {
        3
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let me = scene.site.reading[scene.reader()].clone();
        let archive = scene.site.archives[usize::from(scene.variant == 2)].clone();
        let roles = Roles {
            suspects: vec![me.host],
            victims: vec![archive.host],
        };
        // Associations; queries in each; their gap.
        let (associations, queries, gap) = match scene.variant {
            0 => (4, 220, 250 * MILLI),
            1 => (40, 18, SECOND),
            _ => (1, 160, 900 * MILLI),
        };
        let queries = scene.about(queries);
        scene.repeat(
            associations,
            |d| d.range(60, 110) * SECOND + MINUTE / 2,
            move |w, d, t, _| {
                let mut it = Association::open(
                    w,
                    d,
                    t,
                    (me.host, &me.application),
                    &archive,
                    &[dicom::FIND],
                );
                for _ in 0..queries {
                    let results = d.spread(24, 0.8).min(120);
                    it.find(d, 1, dicom::FIND, results);
                    let pause = d.about(gap, 0.4);
                    it.burst.wait(pause);
                }
                it.release(w);
            },
        );
        roles
    }
}
