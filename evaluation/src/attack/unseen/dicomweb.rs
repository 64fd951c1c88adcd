//! Studies fetched through the web interface of an archive (`DICOMweb`) that nobody uses.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Plain},
    wire::burst::{MILLI, MINUTE, SECOND},
};

pub(in crate::attack) struct DicomwebScraping;

impl Attack for DicomwebScraping {
    fn class(&self) -> &'static str {
        "dicomweb_scraping"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        let to = scene.site.archives[2].host;
        // All at once, or one study in some minutes.
        let (times, gap) = if scene.variant == 0 {
            (120, between(4, 12, SECOND))
        } else {
            (40, between(4, 9, MINUTE))
        };
        let times = scene.about(times);
        scene.repeat(times, gap, move |w, d, t, _| {
            let it = Plain {
                port: 8_080,
                request: b"GET /dcm4chee-arc/aets/DCM4CHEE/rs/studies HTTP/1.1\r\nHost: ",
                rounds: d.range(5, 30),
                down: 500_000,
                think: 100 * MILLI,
                ..talk::HTTP
            };
            talk::plain(w, d, t, from, to, &it);
        });
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
