//! Messages from who never sent any.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::messages::Link,
    wire::{
        burst::{MINUTE, SECOND},
        hl7::Route,
    },
};

pub(super) struct Hl7Injection;

impl Attack for Hl7Injection {
    fn class(&self) -> &'static str {
        "hl7_injection"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let from = scene.intruder();
        // Many orders under a name of its own; or few results under the record's name, to the laboratory.
        let (to, port, route, many, slow) = if scene.variant == 0 {
            let route = Route::new("MIRTH", "CLOVERLEAF", "STMARY");
            (scene.site.engine, 6_661, route, 40, false)
        } else {
            let route = Route::new("CLOVERLEAF", "LIS", "STMARY");
            (scene.site.lis, 2_575, route, 4, true)
        };
        let many = scene.about(many);
        let mut link = Link::new(from, to, port, route, &mut scene.d);
        scene.repeat(
            many,
            move |d| {
                if slow {
                    d.range(1, 8) * MINUTE
                } else {
                    d.range(2, 9) * SECOND
                }
            },
            move |w, d, t, nth| {
                let kind = if nth % 3 == 0 {
                    "ADT^A40^ADT_A39"
                } else {
                    "ORU^R01^ORU_R01"
                };
                link.send(w, d, (t, t), kind, 700, "AA");
            },
        );
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
