//! Messages that were heard, sent again.

use super::{Attack, Roles, Scene};
use crate::{
    hospital::world::{Id, World},
    wire::{
        burst::{Burst, MILLI, MINUTE, SECOND},
        dice::Dice,
        hl7::{self, Route},
        tcp::{Side, Tcp},
    },
};

pub(super) struct Hl7Replay;

/// A field of the first segment.
fn field(message: &[u8], number: usize) -> String {
    let field = message.split(|byte| *byte == b'|').nth(number - 1);
    String::from_utf8_lossy(field.unwrap_or_default()).into_owned()
}

fn again(
    w: &mut World,
    d: &mut Dice,
    t: u64,
    tcp: &mut Option<Tcp>,
    (from, to): (Id, Id),
    nth: usize,
) {
    let mut burst = Burst::new(t, d.number());
    let mut link = tcp.take().unwrap_or_else(|| {
        let (mut tcp, opened) = w.tcp(d, t, from, to, 6_661);
        burst = opened;
        tcp.open(&mut burst);
        tcp
    });
    let heard = w
        .heard
        .get(&to)
        .and_then(|kept| kept.get(nth))
        .map(|kept| kept.1.clone());
    // Nothing was heard only where the attack is rehearsed without the hospital.
    let message = heard.unwrap_or_else(|| {
        hl7::message(
            &Route::new("EPIC", "CLOVERLEAF", "STMARY"),
            "ADT^A08^ADT_A01",
            "EP0",
            &hl7::time(t),
            500,
        )
    });
    let route = Route {
        from: (field(&message, 3), field(&message, 4)),
        to: (field(&message, 5), field(&message, 6)),
    };
    link.send(&mut burst, Side::Client, &message);
    burst.wait(d.range(3, 40) * MILLI);
    let answer = hl7::acknowledge(&route, "AA", &field(&message, 10), &hl7::time(burst.now));
    link.send(&mut burst, Side::Server, &answer);
    w.play(burst);
    *tcp = Some(link);
}

impl Attack for Hl7Replay {
    fn class(&self) -> &'static str {
        "hl7_replay"
    }

    fn stage(&self, scene: &mut Scene<'_>) -> Roles {
        let (from, to) = (scene.intruder(), scene.site.engine);
        let slow = scene.variant > 0;
        let mut tcp = None;
        scene.repeat(
            if slow { 5 } else { 25 },
            move |d| {
                if slow {
                    d.range(1, 2) * MINUTE
                } else {
                    d.range(1, 4) * SECOND
                }
            },
            move |w, d, t, nth| again(w, d, t, &mut tcp, (from, to), nth % 20),
        );
        Roles {
            suspects: vec![from],
            victims: vec![to],
        }
    }
}
