//! Many studies fetched by who may, and carried out of the house.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::{
        association::Association,
        talk::{self, Web},
    },
    wire::{
        burst::{HOUR, MINUTE, SECOND},
        dicom,
    },
};

pub(super) struct StudyExfiltration;

impl Attack for StudyExfiltration {
    fn class(&self) -> &'static str {
        "study_exfiltration"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let me = scene.site.reading[scene.reader()].clone();
        let archive = scene.site.archives[0].clone();
        let outside = scene.outside(&[443]);
        let roles = Roles {
            suspects: vec![me.host],
            victims: vec![archive.host],
        };
        let from = me.host;
        let begin = scene.begin;
        if scene.variant == 0 {
            // Moved to itself, two a minute.
            let many = scene.about(90);
            scene.repeat(many, between(20, 50, SECOND), move |w, d, t, _| {
                let contexts = [dicom::FIND, dicom::MOVE];
                let mut it =
                    Association::open(w, d, t, (from, &me.application), &archive, &contexts);
                let images = d.range(20, 90);
                let count = u16::try_from(images).unwrap_or(0);
                let then = it.move_to(d, 3, &me.application.title, count, images * SECOND / 20);
                it.release(w);
                let study = (dicom::CT, images, 526_000);
                Association::deliver(w, d, then, (&archive, &me), study);
            });
        } else {
            // With C-GET, one in some minutes, for hours.
            let many = scene.about(36);
            scene.repeat(many, between(2, 7, MINUTE), move |w, d, t, _| {
                let contexts = [dicom::GET, dicom::MR];
                let mut it =
                    Association::open(w, d, t, (from, &me.application), &archive, &contexts);
                let images = d.range(20, 120);
                it.get(d, 1, (3, dicom::MR), images, 210_000);
                it.release(w);
            });
        }
        let (parts, size) = if scene.variant == 0 {
            (2, 400_000_000)
        } else {
            (12, 30_000_000)
        };
        for part in 0..parts {
            scene.once(begin + 70 * MINUTE + part * HOUR / 4, move |w, d, t| {
                let it = Web {
                    rounds: 2,
                    up: size / 2,
                    down: 500,
                    think: SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t, from, outside, &it);
            });
        }
        roles
    }
}
