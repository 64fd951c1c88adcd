//! An application whose messages carry another time than they did, so that results land in the wrong order.

use super::{Attack, Roles, Scene, between};
use crate::{
    hospital::messages::Link,
    wire::{
        burst::{DAY, MINUTE, SECOND},
        hl7::Route,
    },
};

pub(super) struct TimeSkew;

impl Attack for TimeSkew {
    fn class(&self) -> &'static str {
        "time_skew"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let site = scene.site;
        let early = scene.variant > 0;
        // Back by hours, or by days.
        let (from, port, application, back, many) = if early {
            (site.lis, 2_575, "LIS", 2 * DAY + 71 * MINUTE, 12)
        } else {
            let back = 197 * MINUTE + 40 * SECOND;
            (site.central, 6_661, "CENTRAL", back, 60)
        };
        let to = site.engine;
        let route = Route::new(application, "CLOVERLEAF", "STMARY");
        // While it does, it sends nothing else.
        let end = scene.begin + many as u64 * MINUTE;
        scene
            .w
            .silent
            .push((from, to, scene.begin.saturating_sub(MINUTE), end));
        let mut link = Link::new(from, to, port, route, &mut scene.d);
        scene.repeat(many, between(15, 38, SECOND), move |w, d, t, _| {
            link.send(w, d, (t, t - back), "ORU^R01^ORU_R01", 900, "AA");
        });
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
