//! Interfaces that are taken away while the daemon runs (a driver is loaded anew, a virtual interface made again) and come
//! back under their name.
//!
//! Programs are attached to what an index names, so another name changes nothing, and a new interface of the old name has
//! no program until it is given it.

use aya::programs::links::PinnedLink;
use nix::net::if_::if_indextoname;

use super::{Kernel, KernelError, attach, pins::InterfaceId, promiscuous};

/// What became of an interface.
#[derive(Debug)]
pub enum Presence {
    /// It was taken away: nothing is seen there.
    Gone,
    /// It is there again, with the program on it.
    Back,
    /// It is there again and does not take the program.
    Refused(KernelError),
}

impl Kernel {
    /// Looks whether the interfaces are still there, and gives those that came back their program: the positions in
    /// [`Self::interfaces`] of those that changed since the last look.
    pub fn look_after(&mut self) -> Vec<(usize, Presence)> {
        let mut changed = Vec::new();
        for at in 0..self.attached.len() {
            let (one, instance) = (&mut self.attached[at], &mut self.instances[at]);
            // nix 0.31 gives an empty name where there is none.
            if if_indextoname(one.index).is_ok_and(|name| !name.is_empty()) {
                continue;
            }
            if one.present {
                one.present = false;
                changed.push((at, Presence::Gone));
            }
            let Ok(index) = attach::index(&one.name) else {
                instance.refused = None;
                continue;
            };
            if instance.refused == Some(index) {
                continue;
            }
            match self.come_back(at, index) {
                Ok(()) => changed.push((at, Presence::Back)),
                Err(error) => {
                    self.instances[at].refused = Some(index);
                    changed.push((at, Presence::Refused(error)));
                }
            }
        }
        changed
    }

    fn come_back(&mut self, at: usize, index: u32) -> Result<(), KernelError> {
        let instance = &mut self.instances[at];
        // Of an interface that is no more.
        if let Some(Err(error)) = instance.link.take().map(PinnedLink::unpin) {
            tracing::warn!("a pinned link of an interface that is gone stays: {error}");
        }
        let id = InterfaceId::here(index)?;
        let (attached, link) =
            attach::attach(&mut instance.ebpf, &self.wanted[at], id, &self.pins)?;
        instance.link = link;
        instance.refused = None;
        promiscuous::join(&self.promiscuous[at], index)?;
        self.attached[at] = attached;
        Ok(())
    }
}
