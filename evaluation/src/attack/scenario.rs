//! Which attacks happen when.

use super::{Attack, Cases, Cast, Roles, Scene, all};
use crate::{
    hospital::{
        site::Site,
        world::{Id, World},
    },
    wire::burst::{DAY, HOUR, MINUTE},
};

/// An attack that is staged.
pub(crate) struct Staged {
    pub(crate) class: &'static str,
    pub(crate) suspects: Vec<Id>,
    pub(crate) victims: Vec<Id>,
    /// When it was planned to begin.
    pub(crate) begin: u64,
}

/// The time that the longest attack needs.
const ROOM: u64 = 11 * HOUR + 30 * MINUTE;

/// Attacks and their times, of a seed.
#[derive(Default)]
pub(crate) struct Scenario {
    pub(crate) staged: Vec<Staged>,
}

impl Scenario {
    fn add(
        &mut self,
        w: &mut World,
        site: &Site,
        cast: &mut Cast,
        (attack, variant): (&dyn Attack, usize),
        begin: u64,
    ) {
        let number = self.staged.len();
        let jobs = w.jobs.len();
        let d = w.dice(attack.class(), 1_000_000 + number);
        let mut scene = Scene {
            w,
            site,
            d,
            begin,
            variant,
            cast,
        };
        let Roles { suspects, victims } = attack.stage(&mut scene);
        for (_, job) in &mut w.jobs[jobs..] {
            job.episode = Some(number);
        }
        self.staged.push(Staged {
            class: attack.class(),
            suspects,
            victims,
            begin,
        });
    }

    /// Each variant of each attack of these cases once, spread over the time from `from` to `to`.
    pub(crate) fn all(
        &mut self,
        w: &mut World,
        site: &Site,
        cases: Cases,
        (learns, from, to): (u64, u64, u64),
    ) {
        let attacks = cases.attacks();
        let each: Vec<(usize, usize)> = attacks
            .iter()
            .enumerate()
            .flat_map(|(nth, attack)| (0..attack.variants()).map(move |variant| (nth, variant)))
            .collect();
        let mut d = w.dice("scenario", 0);
        let order = d.some(&each, each.len());
        let slot = (to - from).saturating_sub(ROOM) / order.len() as u64;
        let mut cast = Cast::default();
        for (nth, (attack, variant)) in order.into_iter().enumerate() {
            let attack = attacks[attack].as_ref();
            if let Some(lasts) = attack.lasts(variant) {
                let begin = if attack.in_learning(variant) {
                    learns
                } else {
                    from
                };
                let room = (to - begin).saturating_sub(lasts).max(1);
                let begin = begin + d.below(room.min(2 * DAY));
                self.add(w, site, &mut cast, (attack, variant), begin);
                continue;
            }
            let mut begin = from + slot * nth as u64 + d.below(slot.max(1));
            if let Some(hour) = attack.hour(variant) {
                let day = begin - begin % DAY;
                begin = day + hour * HOUR + d.below(HOUR);
                if begin < from || begin + ROOM > to {
                    begin = from + (to - from - ROOM) / DAY * DAY + hour * HOUR + d.below(HOUR);
                }
            }
            self.add(w, site, &mut cast, (attack, variant), begin);
        }
    }

    /// One workstation guesses titles, scans and steals on the third day of learning, and again later.
    pub(crate) fn poison(&mut self, w: &mut World, site: &Site, begin: u64, from: u64) {
        let mut d = w.dice("poison", 0);
        let host = *d.pick(&site.office);
        let mut cast = Cast::only(host);
        let attacks = all();
        let learnt = begin + (from - begin) * 2 / 7;
        for day in [learnt, from] {
            for (nth, class) in ["ae_brute_force", "port_scan", "move_theft"]
                .into_iter()
                .enumerate()
            {
                let variant = usize::from(class == "move_theft");
                let time = day + 10 * HOUR + nth as u64 * 40 * MINUTE + d.below(10 * MINUTE);
                if let Some(attack) = attacks.iter().find(|one| one.class() == class) {
                    self.add(w, site, &mut cast, (attack.as_ref(), variant), time);
                }
            }
        }
    }
}
