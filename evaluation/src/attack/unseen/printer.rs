//! A printer that someone works through: it looks at shares, and sends out what it found.

use crate::{
    attack::{Attack, Roles, Scene, between},
    hospital::talk::{self, Plain, Web},
    wire::burst::{MINUTE, SECOND},
};

pub(in crate::attack) struct PrinterPivot;

impl Attack for PrinterPivot {
    fn class(&self) -> &'static str {
        "printer_pivot"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = *scene.d.pick(&scene.site.printers);
        let (files, outside) = (scene.site.files, scene.outside(&[443]));
        let loud = scene.variant == 0;
        let times = scene.about(if loud { 20 } else { 6 });
        scene.repeat(times, between(3, 15, MINUTE), move |w, d, t, nth| {
            let it = Plain {
                rounds: if loud { 60 } else { 12 },
                down: 20_000,
                ..talk::SMB
            };
            talk::plain(w, d, t, from, files, &it);
            if loud && nth % 5 == 4 {
                let it = Web {
                    rounds: 2,
                    up: 4_000_000,
                    down: 300,
                    think: SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t + MINUTE, from, outside, &it);
            }
        });
        Roles {
            suspects: vec![from],
            victims: vec![files],
        }
    }
}
