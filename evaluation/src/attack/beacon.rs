//! A device that calls its master, again and again.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::talk::{self, Plain, Web},
    wire::burst::{MILLI, SECOND},
};

pub(super) struct Beacon;

impl Attack for Beacon {
    fn class(&self) -> &'static str {
        "beacon"
    }

    fn variants(&self) -> usize {
        3
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        // Period in seconds, jitter, times.
        let (from, period, jitter, times) = match scene.variant {
            0 => (scene.workstation(), 60, 0.1, 300),
            1 => (scene.workstation(), 420, 0.35, 85),
            _ => (scene.pump(), 120, 0.05, 120),
        };
        let (period, times) = (scene.about(period) as u64, scene.about(times));
        let to = scene.outside(&[443, 8_080]);
        let hidden = scene.variant < 2;
        scene.repeat(
            times,
            move |d| d.about(period * SECOND, jitter),
            move |w, d, t, _| {
                // Now and then there is something to do.
                let down = if d.chance(0.04) { 90_000 } else { 420 };
                if hidden {
                    let it = Web {
                        name: Some("cdn.telemetry-sync.invalid"),
                        rounds: 1,
                        up: 380,
                        down,
                        think: 200 * MILLI,
                    };
                    talk::web(w, d, t, from, to, &it);
                } else {
                    talk::plain(
                        w,
                        d,
                        t,
                        from,
                        to,
                        &Plain {
                            port: 8_080,
                            down,
                            ..talk::HTTP
                        },
                    );
                }
            },
        );
        Roles {
            suspects: vec![from],
            victims: vec![from],
        }
    }
}
