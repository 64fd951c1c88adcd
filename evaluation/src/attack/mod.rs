//! Attacks on the hospital, one file each.
//!
//! An attack is staged: it chooses who does it to whom, and leaves jobs in the world. What it sends is marked as
//! its own, so that its first and last packet are known.

mod abuse;
mod ae_brute_force;
mod arp_spoof;
mod beacon;
mod dns_tunnel;
mod echo_sweep;
mod exfiltration;
mod hl7_injection;
mod hl7_replay;
mod host_sweep;
mod lateral_smb;
mod list;
mod login_brute_force;
mod mass_find;
mod move_theft;
mod nak_burst;
mod new_service;
mod off_hours;
mod port_scan;
mod scenario;
mod study_exfiltration;
mod syn_flood;
mod time_skew;
mod unknown_modality;
mod unseen;

use std::net::Ipv4Addr;

pub(crate) use list::all;
pub use list::{Cases, classes};
pub(crate) use scenario::Scenario;

use crate::{
    hospital::{
        site::{Site, inside, net},
        world::{Id, World},
    },
    wire::dice::Dice,
};

/// A kind of attack.
pub(crate) trait Attack {
    /// Its class in the truth.
    fn class(&self) -> &'static str;

    /// How many variants it has: fast and slow, large and small.
    fn variants(&self) -> usize {
        2
    }

    /// The hour of the day at which it has to begin, if it has to.
    fn hour(&self, _variant: usize) -> Option<u64> {
        None
    }

    /// How long it goes on, if that is for days: then it does not wait for its turn.
    fn lasts(&self, _variant: usize) -> Option<u64> {
        None
    }

    /// It begins while the site is learnt.
    fn in_learning(&self, _variant: usize) -> bool {
        false
    }

    /// Leaves its jobs in the world.
    fn stage(&self, scene: &mut Scene<'_>) -> Roles;
}

/// Who does it, and to whom.
pub(crate) struct Roles {
    pub(crate) suspects: Vec<Id>,
    pub(crate) victims: Vec<Id>,
}

/// Where an attack is staged.
pub(crate) struct Scene<'a> {
    pub(crate) w: &'a mut World,
    pub(crate) site: &'a Site,
    pub(crate) d: Dice,
    pub(crate) begin: u64,
    pub(crate) variant: usize,
    pub(crate) cast: &'a mut Cast,
}

impl Scene<'_> {
    /// A number, a third more or less: no two attacks have the same size.
    pub(crate) fn about(&mut self, number: usize) -> usize {
        usize::try_from(self.d.about(number as u64, 0.33))
            .unwrap_or(number)
            .max(2)
    }

    /// Does something `times` times from the beginning on, as far apart as `gap` says, and as this attack's pace is.
    pub(crate) fn repeat(
        &mut self,
        times: usize,
        gap: impl Fn(&mut Dice) -> u64 + Send + 'static,
        mut act: impl FnMut(&mut World, &mut Dice, u64, usize) + Send + 'static,
    ) {
        let mut nth = 0;
        let pace = self.d.range(65, 150);
        let dice = Dice::new(self.d.number(), 7);
        self.w.at(
            self.begin,
            dice,
            Box::new(move |w, d, t| {
                act(w, d, t, nth);
                nth += 1;
                (nth < times).then(|| t + gap(d) * pace / 100)
            }),
        );
    }

    /// Does something once, at a time.
    pub(crate) fn once(
        &mut self,
        time: u64,
        act: impl FnOnce(&mut World, &mut Dice, u64) + Send + 'static,
    ) {
        let dice = Dice::new(self.d.number(), 8);
        self.w.once(time, dice, act);
    }

    /// A device that nobody knows, in a subnet.
    pub(crate) fn rogue(&mut self, net: u8) -> Id {
        self.cast.rogues += 1;
        let number = self.cast.rogues;
        let name = format!("rogue{number}");
        let ttl = if self.d.chance(0.5) { 64 } else { 128 };
        self.w.host(
            &name,
            [0xb8, 0x27, 0xeb],
            inside(net, 200 + number),
            ttl,
            &[],
        )
    }

    /// A host outside that nobody used before.
    pub(crate) fn outside(&mut self, ports: &[u16]) -> Id {
        let number = u8::try_from(self.d.range(2, 250)).unwrap_or(9);
        let net = u8::try_from(self.d.range(1, 250)).unwrap_or(9);
        let address = Ipv4Addr::new(185, 220, net, number);
        let name = format!("x{net}{number}.invalid");
        self.w.host(&name, [0; 3], address, 64, ports)
    }

    /// A workstation that no other attack has, as long as there are such.
    pub(crate) fn workstation(&mut self) -> Id {
        Cast::draw(&mut self.cast.office, &self.site.office, &mut self.d)
    }

    /// The same of the infusion pumps.
    pub(crate) fn pump(&mut self) -> Id {
        Cast::draw(&mut self.cast.pumps, &self.site.pumps, &mut self.d)
    }

    /// The same of the visitors.
    pub(crate) fn guest(&mut self) -> Id {
        Cast::draw(&mut self.cast.guests, &self.site.guests, &mut self.d)
    }

    /// The same of the readers, by index.
    pub(crate) fn reader(&mut self) -> usize {
        let readers: Vec<usize> = (0..self.site.reading.len()).collect();
        Cast::draw(&mut self.cast.readers, &readers, &mut self.d)
    }

    /// A rogue in the office, or a workstation.
    pub(crate) fn intruder(&mut self) -> Id {
        if self.cast.fixed {
            return self.workstation();
        }
        if self.d.chance(0.4) {
            self.rogue(net::OFFICE)
        } else {
            self.workstation()
        }
    }
}

/// Times between what an attack repeats: from `from` to `to` whole units.
pub(crate) fn between(from: u64, to: u64, unit: u64) -> impl Fn(&mut Dice) -> u64 + Send + 'static {
    move |d| d.range(from, to) * unit
}

/// Who can still play a part.
#[derive(Default)]
pub(crate) struct Cast {
    office: Vec<Id>,
    pumps: Vec<Id>,
    guests: Vec<Id>,
    readers: Vec<usize>,
    rogues: u8,
    /// Only those who are named.
    fixed: bool,
}

impl Cast {
    fn draw(left: &mut Vec<usize>, everyone: &[usize], d: &mut Dice) -> usize {
        if left.is_empty() {
            *left = d.some(everyone, everyone.len());
        }
        left.pop().unwrap_or_default()
    }

    /// Nobody but this workstation, as long as it is asked for once.
    pub(crate) fn only(host: Id) -> Self {
        Self {
            office: vec![host; 8],
            fixed: true,
            ..Self::default()
        }
    }
}
