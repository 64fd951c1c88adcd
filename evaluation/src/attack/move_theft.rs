//! Studies that an archive is told to send to where none went before.

use super::{Attack, Roles, Scene, ae_brute_force::tool, between};
use crate::{
    hospital::{
        association::Association,
        site::{Node, net},
    },
    wire::{
        burst::{MINUTE, SECOND},
        dicom,
    },
};

pub(super) struct MoveTheft;

impl Attack for MoveTheft {
    fn class(&self) -> &'static str {
        "move_theft"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let archive = scene.site.archives[0].clone();
        // A reader that always asked, or a workstation that never did.
        let (from, calling) = if scene.variant == 0 {
            let me = scene.site.reading[scene.reader()].clone();
            (me.host, me.application)
        } else {
            (scene.workstation(), tool("MOVESCU"))
        };
        let to = if scene.variant == 0 {
            scene.rogue(net::OFFICE)
        } else {
            from
        };
        let names = ["RESEARCH_SCP", "TMP_NODE", "BACKUP_QR", "TEACHING"];
        let title = format!("{}{}", scene.d.pick(&names), scene.d.below(90));
        let port = 11_112;
        let node = Node {
            host: to,
            application: tool(&title),
            port,
        };
        let many = if scene.variant == 0 { 12 } else { 2 };
        let victims = vec![archive.host];
        scene.repeat(many, between(2, 6, MINUTE), move |w, d, t, _| {
            let contexts = [dicom::FIND, dicom::MOVE];
            let mut it = Association::open(w, d, t, (from, &calling), &archive, &contexts);
            it.find(d, 1, dicom::FIND, 3);
            let images = d.range(20, 150);
            let count = u16::try_from(images).unwrap_or(0);
            let begin = it.move_to(d, 3, &node.application.title, count, images * SECOND / 20);
            it.release(w);
            let study = (dicom::CT, images, 526_000);
            Association::deliver(w, d, begin, (&archive, &node), study);
        });
        let mut suspects = vec![from];
        if to != from {
            suspects.push(to);
        }
        Roles { suspects, victims }
    }
}
