//! What a detector may ask.

use std::net::IpAddr;

use sensor_facts::{observation::is_public, setting::Network, time::Time};

use super::{fair::Who, origins::Origins, routers::Routers};
use crate::baseline::{Baselines, Delta, Fact, Familiar};

/// What a detector may ask.
pub(crate) struct Site<'a> {
    /// The time of the observation.
    pub(crate) now: Time,
    /// What is usual.
    pub(crate) baselines: &'a Baselines,
    /// Who stands for many.
    pub(crate) routers: &'a Routers,
    /// Which addresses completed handshakes confirm.
    pub(crate) origins: &'a Origins,
    /// Networks that belong to the site, beside private ones.
    pub(crate) inside: &'a [Network],
    /// Bytes of the observed flow since its last report.
    pub(crate) delta: Option<Delta>,
}

impl Site<'_> {
    /// True if the fact is part of what is usual of the device.
    pub(crate) fn knows(&self, device: IpAddr, fact: &Fact<'_>) -> bool {
        self.baselines.familiar(device, fact, self.now) == Familiar::Known
    }

    /// True if the fact is usual at the site.
    pub(crate) fn knows_at_site(&self, fact: &Fact<'_>) -> bool {
        self.baselines.familiar_at_site(fact, self.now) == Familiar::Known
    }

    /// True during the learning period.
    pub(crate) fn learns(&self) -> bool {
        self.baselines.site_learns(self.now)
    }

    /// An address, with whether a completed handshake confirms it.
    pub(crate) fn who(&self, address: IpAddr) -> Who {
        Who {
            address,
            confirmed: self.origins.confirms(address, self.now),
        }
    }

    /// True for an address outside of the site.
    pub(crate) fn is_outside(&self, address: IpAddr) -> bool {
        is_outside(address, self.inside)
    }
}

/// True for an address that is neither private nor in one of the networks of the site.
pub(super) fn is_outside(address: IpAddr, inside: &[Network]) -> bool {
    is_public(address) && !inside.iter().any(|net| net.0.contains(&address))
}
