//! Someone who is in the house when nobody should be, and looks around with what is allowed.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::{
        association::Association,
        talk::{self, Plain},
    },
    wire::{
        burst::{MINUTE, SECOND},
        dicom,
    },
};

pub(super) struct OffHours;

impl Attack for OffHours {
    fn class(&self) -> &'static str {
        "off_hours"
    }

    fn hour(&self, variant: usize) -> Option<u64> {
        Some(if variant == 0 { 2 } else { 3 })
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let site = scene.site;
        if scene.variant == 0 {
            // An administrator's computer, to the record and its database.
            let from = site.admins[0];
            let victims = vec![site.ehr, site.database];
            let targets = victims.clone();
            let many = scene.about(4);
            scene.repeat(many, between(6, 20, MINUTE), move |w, d, t, nth| {
                let like = if nth % 2 == 0 { talk::RDP } else { talk::SSH };
                let it = Plain {
                    rounds: d.range(60, 260),
                    think: 3 * SECOND,
                    ..like
                };
                talk::plain(w, d, t, from, targets[nth % 2], &it);
            });
            return Roles {
                suspects: vec![from],
                victims,
            };
        }
        // A workstation of the office that is dark at night: queries to the archive and a remote session.
        let mut from = scene.workstation();
        while site
            .office
            .iter()
            .position(|id| *id == from)
            .is_some_and(|nth| nth % 3 == 0)
        {
            from = scene.workstation();
        }
        let (archive, files) = (site.archives[0].clone(), site.files);
        let victims = vec![archive.host, files];
        let many = scene.about(5);
        scene.repeat(many, between(2, 7, MINUTE), move |w, d, t, nth| {
            if nth == 2 {
                talk::plain(
                    w,
                    d,
                    t,
                    from,
                    files,
                    &Plain {
                        rounds: 90,
                        ..talk::RDP
                    },
                );
                return;
            }
            let me = super::ae_brute_force::tool("WEBVIEW");
            let mut it = Association::open(w, d, t, (from, &me), &archive, &[dicom::FIND]);
            for _ in 0..d.range(2, 6) {
                let results = d.range(1, 20);
                it.find(d, 1, dicom::FIND, results);
                it.burst.wait(8 * SECOND);
            }
            it.release(w);
        });
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
