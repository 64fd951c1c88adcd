//! Data in the names of DNS queries.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::datagram::{self, Datagram},
    wire::{burst::MILLI, dns},
};

pub(super) struct DnsTunnel;

impl Attack for DnsTunnel {
    fn class(&self) -> &'static str {
        "dns_tunnel"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.workstation();
        let slow = scene.variant > 0;
        // By the house's own resolver, fast; or past it, one in some seconds.
        let to = if slow {
            scene.outside(&[])
        } else {
            scene.site.directories[0]
        };
        let (many, pause) = if slow { (3_600, 2_500) } else { (9_000, 120) };
        let many = scene.about(many);
        scene.repeat(
            many,
            move |d| d.about(pause * MILLI, 0.5),
            move |w, d, t, nth| {
                let label = |d: &mut crate::wire::dice::Dice| {
                    format!("{:016x}{:016x}{:016x}", d.number(), d.number(), d.number())
                };
                let name = format!("{}.{}.{nth:x}.t.update-check.invalid", label(d), label(d));
                let id = u16::try_from(nth % 65_536).unwrap_or(0);
                let (ask, answer) = (
                    dns::query(id, &name, dns::TXT),
                    dns::answer(id, &name, dns::TXT, Some(&[0x41; 120])),
                );
                let port = w.port(from);
                datagram::exchange(
                    w,
                    d,
                    t,
                    from,
                    to,
                    &Datagram {
                        ports: (port, 53),
                        ask: &ask,
                        answer: &answer,
                    },
                );
            },
        );
        Roles {
            suspects: vec![from],
            victims: vec![from],
        }
    }
}
