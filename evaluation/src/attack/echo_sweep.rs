//! C-ECHO to whatever speaks DICOM.

use super::{Attack, Roles, Scene, ae_brute_force::tool};
use crate::{
    hospital::{association::Association, site::Node},
    wire::{
        burst::{MILLI, SECOND},
        dicom,
    },
};

pub(super) struct EchoSweep;

impl Attack for EchoSweep {
    fn class(&self) -> &'static str {
        "echo_sweep"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        let mut nodes = scene.site.archives.clone();
        nodes.push(scene.site.ris.clone());
        nodes.extend(scene.site.modalities.iter().map(|it| Node {
            host: it.host,
            application: it.application.clone(),
            port: 104,
        }));
        nodes.extend(scene.site.reading.iter().cloned());
        let slow = scene.variant > 0;
        nodes.truncate(if slow { 9 } else { 20 });
        let victims = nodes.iter().map(|it| it.host).collect();
        scene.repeat(
            nodes.len(),
            move |d| {
                if slow {
                    d.range(90, 240) * SECOND
                } else {
                    d.range(300, 2_000) * MILLI
                }
            },
            move |w, d, t, nth| {
                let mut it = Association::open(
                    w,
                    d,
                    t,
                    (from, &tool("ECHOSCU")),
                    &nodes[nth],
                    &[dicom::ECHO],
                );
                it.echo(d);
                it.release(w);
            },
        );
        Roles {
            suspects: vec![from],
            victims,
        }
    }
}
