//! Infusion pumps and patient monitors.

use super::{
    datagram, network,
    site::Site,
    talk,
    world::{Id, World},
};
use crate::wire::{
    burst::{Burst, DAY, HOUR, MICRO, MILLI, MINUTE, SECOND},
    dice::Dice,
    frame,
    tcp::{Side, Tcp},
};

/// Begins what pumps and monitors do.
pub(crate) fn live(w: &mut World, site: &Site, from: u64) {
    for (nth, pump) in site.pumps.iter().enumerate() {
        let gateway = site.gateways[nth % site.gateways.len()];
        self::pump(w, *pump, gateway, from);
        let (pump, dc) = (*pump, site.directories[0]);
        w.routine(pump, from)
            .steady("lease", 24 * HOUR, move |w, d, t| {
                datagram::lease(w, d, t, pump, dc, false);
                datagram::clock(w, d, t + SECOND, pump, dc);
            });
    }
    for monitor in &site.monitors {
        self::monitor(w, *monitor, site.central, from);
        let (monitor, dc) = (*monitor, site.directories[1]);
        w.routine(monitor, from)
            .steady("clock", 2 * HOUR, move |w, d, t| {
                datagram::clock(w, d, t, monitor, dc);
            });
    }
}

/// A pump's connection to its gateway: its state each minute, more while it infuses, roaming now and then.
pub(crate) fn pump(w: &mut World, pump: Id, gateway: Id, from: u64) {
    let mut open: Option<Tcp> = None;
    let mut infuses_until = 0;
    w.routine(pump, from)
        .steady("pump", MINUTE, move |w, d, t| {
            let (mut tcp, mut burst) = match open.take() {
                Some(tcp) => (tcp, Burst::new(t, d.number())),
                None => connect(w, d, t, pump, gateway),
            };
            if t > infuses_until && d.below(600) < 2 {
                infuses_until = t + d.spread(4 * HOUR, 0.7).min(DAY);
                // The programme, and the drug library's piece.
                talk::say(&mut tcp, &mut burst, Side::Server, b"\x02PRG\x01", 900);
                burst.wait(20 * MILLI);
                talk::say(&mut tcp, &mut burst, Side::Client, b"\x02PRA\x01", 60);
            }
            let length = if t < infuses_until { 164 } else { 92 };
            talk::say(&mut tcp, &mut burst, Side::Client, b"\x02STA\x01", length);
            burst.wait(d.range(2, 30) * MILLI);
            talk::say(&mut tcp, &mut burst, Side::Server, b"\x02ACK\x01", 24);
            if d.chance(0.002) {
                // Another access point, and a new connection; the old one is left, reset or closed.
                match d.below(3) {
                    0 => tcp.reset(&mut burst, Side::Server),
                    1 => tcp.close(&mut burst, Side::Client),
                    _ => {}
                }
                network::greet(w, d, burst.now + SECOND, pump);
            } else {
                open = Some(tcp);
            }
            w.play(burst);
        });
}

fn connect(w: &mut World, d: &mut Dice, t: u64, pump: Id, gateway: Id) -> (Tcp, Burst) {
    let (mut tcp, mut burst) = w.tcp(d, t, pump, gateway, 3_613);
    tcp.rtt = d.range(2, 9) * MILLI;
    tcp.lossy = 300;
    tcp.open(&mut burst);
    talk::say(&mut tcp, &mut burst, Side::Client, b"\x02REG\x01", 148);
    burst.wait(5 * MILLI);
    talk::say(&mut tcp, &mut burst, Side::Server, b"\x02REG\x01", 64);
    (tcp, burst)
}

/// A monitor's waveforms, and what the central station asks it.
fn monitor(w: &mut World, monitor: Id, central: Id, from: u64) {
    let mut count = 0_u32;
    w.routine(monitor, from)
        .steady("waves", 6 * SECOND, move |w, d, t| {
            let mut burst = Burst::new(t, d.number());
            let (to, back) = (w.way(monitor, central, t), w.way(central, monitor, t));
            let id = w.number(monitor);
            let length = 620 + d.index(500);
            frame::udp(&mut burst, &to, (24_004, 24_105), id, &vec![0x0e; length]);
            count += 1;
            if count.is_multiple_of(10) {
                burst.wait(900 * MICRO);
                let id = w.number(central);
                frame::udp(&mut burst, &back, (24_105, 24_004), id, &[0x0e; 48]);
            }
            w.play(burst);
        });
}
