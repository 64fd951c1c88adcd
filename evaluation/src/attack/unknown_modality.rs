//! A device that says that it makes images, and nobody knows.

use super::{Attack, Roles, Scene, ae_brute_force::tool, between};
use crate::{
    hospital::{association::Association, site::net},
    wire::{
        burst::{MINUTE, SECOND},
        dicom,
    },
};

pub(super) struct UnknownModality;

impl Attack for UnknownModality {
    fn class(&self) -> &'static str {
        "unknown_modality"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let archive = scene.site.archives[0].clone();
        let ris = scene.site.ris.clone();
        let victims = vec![archive.host, ris.host];
        if scene.variant == 0 {
            // A box of its own, under a name of its own.
            let from = scene.rogue(net::IMAGING);
            let many = scene.about(5);
            scene.repeat(many, between(2, 9, MINUTE), move |w, d, t, _| {
                let me = tool("STORESCU");
                let mut it = Association::open(w, d, t, (from, &me), &archive, &[dicom::CT]);
                let images = d.range(3, 30);
                it.store(d, dicom::CT, images, 524_000);
                it.release(w);
            });
            return Roles {
                suspects: vec![from],
                victims,
            };
        }
        // Under the name of a modality of the house: a few questions, two images.
        let from = scene.rogue(net::OFFICE);
        let name = scene.site.modalities[scene.d.index(scene.site.modalities.len())]
            .application
            .title
            .clone();
        scene.repeat(3, between(60, 900, SECOND), move |w, d, t, nth| {
            let me = tool(&name);
            if nth < 2 {
                let mut it = Association::open(w, d, t, (from, &me), &ris, &[dicom::WORKLIST]);
                it.find(d, 1, dicom::WORKLIST, 12);
                it.release(w);
            } else {
                let mut it = Association::open(w, d, t, (from, &me), &archive, &[dicom::CR]);
                it.store(d, dicom::CR, 2, 3_000_000);
                it.release(w);
            }
        });
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
