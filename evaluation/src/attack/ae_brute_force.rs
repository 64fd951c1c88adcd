//! AE titles guessed at an archive.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::association,
    wire::{
        burst::{MILLI, SECOND},
        dicom::Application,
    },
};

pub(super) struct AeBruteForce;

const TITLES: [&str; 16] = [
    "PACS", "ARCHIVE", "STORESCP", "DCM4CHEE", "ORTHANC", "MAINPACS", "QR_SCP", "ANY-SCP",
    "SYNAPSE", "IMPAX", "VNA1", "AETITLE", "SERVER", "DICOM", "CONQUEST", "RADPACS",
];

/// What most tools say of themselves.
pub(super) fn tool(title: &str) -> Application {
    Application {
        title: title.to_owned(),
        class: "1.2.826.0.1.3680043.9.3811.3.0.1".to_owned(),
        version: "PYNETDICOM_301".to_owned(),
    }
}

impl Attack for AeBruteForce {
    fn class(&self) -> &'static str {
        "ae_brute_force"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        let to = scene.site.archives[scene.d.index(2)].clone();
        let victims = vec![to.host];
        if scene.variant == 0 {
            let many = scene.about(60);
            scene.repeat(many, between(200, 1_400, MILLI), move |w, d, t, nth| {
                let called = format!("{}{}", TITLES[nth % TITLES.len()], nth / TITLES.len());
                association::rejected(w, d, t, (from, &tool("ECHOSCU")), &to, (&called, 7));
            });
        } else {
            // The called title is known; the calling one is not taken from anyone.
            let many = scene.about(22);
            scene.repeat(many, between(100, 400, SECOND), move |w, d, t, nth| {
                let calling = tool(TITLES[nth % TITLES.len()]);
                association::rejected(w, d, t, (from, &calling), &to, (&to.application.title, 3));
            });
        }
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
