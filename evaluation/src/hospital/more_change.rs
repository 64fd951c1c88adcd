//! More change that harms nobody, in hospitals of a drawn shape: a migration, new reports, other work, a device that fails.

use std::net::Ipv4Addr;

use super::{
    association::Association,
    rhythm::Rhythm,
    site::Site,
    talk::{self, Plain},
    world::World,
};
use crate::wire::{
    burst::{DAY, HOUR, MINUTE},
    dicom,
};

/// Who says nothing any more from when on: a patient monitor that is still asked by others.
pub(super) fn fails(w: &World, site: &Site, half: u64) -> Option<(u64, Ipv4Addr)> {
    let mut d = w.dice("fails", 0);
    let time = half + d.below(3 * DAY);
    let monitor = *site.monitors.first()?;
    Some((time, w.address(monitor, time)))
}

/// What changes in the second half.
pub(super) fn live(w: &mut World, site: &Site, (half, end): (u64, u64)) {
    let mut d = w.dice("more change", 0);
    let days = ((end - half) / DAY).max(1);
    let mut at = |hour: u64| half + d.below(days) * DAY + hour * HOUR;
    let (night, morning, day, retry) = (at(22), at(8), at(9), at(13));
    migrate(w, site, night);
    report(w, site, morning);
    other_work(w, site, day);
    unreachable(w, site, retry);
}

/// An archive hands its studies on to another one during a night.
fn migrate(w: &mut World, site: &Site, night: u64) {
    let (from, to) = (site.archives[1].clone(), site.archives[2].clone());
    for nth in 0..90_u64 {
        let (from, to) = (from.clone(), to.clone());
        let dice = w.dice("migrate", usize::try_from(nth).unwrap_or(0));
        w.once(night + nth * 4 * MINUTE, dice, move |w, d, t| {
            let me = (from.host, &from.application);
            let mut it = Association::open(w, d, t, me, &to, &[dicom::US]);
            let images = d.range(8, 40);
            it.store(d, dicom::US, images, 1_900_000);
            it.release(w);
        });
    }
}

/// Pumps report to a service of their vendor from now on.
fn report(w: &mut World, site: &Site, from: u64) {
    let service = w.host("fleet.example", [0; 3], [52, 28, 9, 77].into(), 64, &[443]);
    for pump in site.pumps.clone() {
        w.routine(pump, from)
            .steady("fleet", 2 * HOUR, move |w, d, t| {
                talk::web(w, d, t, pump, service, &talk::HTTPS);
            });
    }
}

/// Some workstations are given other work: remote sessions to two servers.
fn other_work(w: &mut World, site: &Site, from: u64) {
    let (lis, ehr) = (site.lis, site.ehr);
    for host in site.office.iter().copied().take(4) {
        w.routine(host, from)
            .every("other work", Rhythm::Office, HOUR, move |w, d, t| {
                let it = Plain {
                    rounds: d.range(40, 300),
                    ..talk::RDP
                };
                let server = if d.chance(0.5) { lis } else { ehr };
                talk::plain(w, d, t, host, server, &it);
            });
    }
}

/// A modality whose archive is moved tries its old port for some hours.
fn unreachable(w: &mut World, site: &Site, from: u64) {
    let (modality, archive) = (site.modalities[0].host, site.archives[1].host);
    for nth in 0..60_u64 {
        let dice = w.dice("unreachable", usize::try_from(nth).unwrap_or(0));
        w.once(from + nth * 3 * MINUTE, dice, move |w, d, t| {
            talk::refused(w, d, t, modality, archive, 4_006);
        });
    }
}
