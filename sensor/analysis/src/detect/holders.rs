//! Who has which address, and who takes it from whom.

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use sensor_facts::{observation::Mac, time::Time};

struct Holder {
    mac: Mac,
    last: Time,
    /// The one before, and when it was last seen.
    before: Option<(Mac, Time)>,
}

/// What follows from an address at an Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing: it is there as it was, or is new.
    Known,
    /// Another had it lately.
    From(Mac),
    /// Another has it, too: it goes back and forth.
    InTurn(Mac),
}

/// Who has which address.
pub(super) struct Holders {
    holders: CountedLru<IpAddr, Holder>,
    /// Two within this are at once, nanoseconds.
    at_once: i64,
}

impl Holders {
    pub(super) fn new(room: NonZeroUsize, at_once: i64) -> Self {
        Self {
            holders: CountedLru::new(room),
            at_once,
        }
    }

    /// Takes an address at an Ethernet address.
    pub(super) fn take(&mut self, address: IpAddr, mac: Mac, now: Time) -> Taken {
        let Some(holder) = self.holders.get_mut(&address) else {
            let holder = Holder {
                mac,
                last: now,
                before: None,
            };
            self.holders.put(address, holder);
            return Taken::Known;
        };
        if holder.mac == mac {
            holder.last = holder.last.max(now);
            return Taken::Known;
        }
        let other = holder.mac;
        let lately = |last: Time| now.0.saturating_sub(last.0) < self.at_once;
        let back = holder
            .before
            .is_some_and(|(before, last)| before == mac && lately(last));
        let had = lately(holder.last);
        holder.before = Some((other, holder.last));
        holder.mac = mac;
        holder.last = now;
        if back {
            Taken::InTurn(other)
        } else if had {
            Taken::From(other)
        } else {
            Taken::Known
        }
    }

    /// What made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.holders.evicted()
    }
}
