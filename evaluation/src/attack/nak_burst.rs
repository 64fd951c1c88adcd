//! Malformed messages that an application refuses, one after the other, from a device that was taken over.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::messages::Link,
    wire::{
        burst::{MILLI, SECOND},
        hl7::Route,
    },
};

pub(super) struct NakBurst;

impl Attack for NakBurst {
    fn class(&self) -> &'static str {
        "nak_burst"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let slow = scene.variant > 0;
        let site = scene.site;
        let (from, to, port, route) = if slow {
            let route = Route::new("PUMPGW2", "CLOVERLEAF", "STMARY");
            (site.gateways[1], site.engine, 6_661, route)
        } else {
            let route = Route::new("COBAS0", "LIS", "LAB");
            (site.analysers[0], site.lis, 2_575, route)
        };
        let mut link = Link::new(from, to, port, route, &mut scene.d);
        let many = scene.about(if slow { 30 } else { 90 });
        scene.repeat(
            many,
            move |d| {
                if slow {
                    d.range(6, 20) * SECOND
                } else {
                    d.range(300, 2_000) * MILLI
                }
            },
            move |w, d, t, _| {
                let code = match d.below(10) {
                    0 => "AA",
                    1..=4 => "AR",
                    _ => "AE",
                };
                link.send(w, d, (t, t), "ORU^R01^ORU_R01", 300, code);
            },
        );
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
