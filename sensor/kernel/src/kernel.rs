//! The programs and maps of one daemon in the kernel: loaded, attached, read.

use std::{os::fd::OwnedFd, path::PathBuf};

use aya::{
    Ebpf,
    maps::{Array, MapData, PerCpuArray},
    programs::links::PinnedLink,
};
use sensor_common::{counter::Counters, cpu::Cpu, settings::Settings};

use super::{
    KernelError, attach,
    attach::Attached,
    flows::FlowTables,
    life::{self, Legacy, Life},
    load, maps,
    object::OBJECT,
    options::{InterfaceOptions, Options},
    pins::{self, InterfaceId},
    pod::Pod,
    promiscuous,
    ring::Ring,
    rules::RuleTables,
};

/// The programs and maps in the kernel.
///
/// Dropping it detaches the programs and removes the pins, unless an interface is in the path: then all
/// stays as it is, so that rules stay in force while no daemon runs, to their end or until the
/// daemon's absence lifts them.
pub struct Kernel {
    // In this order: links go before what their programs use.
    pub(super) instances: Vec<Instance>,
    pub(super) attached: Vec<Attached>,
    // Held for the mode: it ends with its socket.
    pub(super) promiscuous: Vec<OwnedFd>,
    /// What was asked for, in the same order.
    pub(super) wanted: Vec<InterfaceOptions>,
    cpu: PerCpuArray<MapData, Pod<Cpu>>,
    inherited: Vec<Counters>,
    left_over: Vec<Ring>,
    settings: Array<MapData, Pod<Settings>>,
    flows: FlowTables,
    ring: Option<Ring>,
    pub(super) pins: pins::PinDirectory,
}

/// A program instance and what holds it on its interface.
pub(crate) struct Instance {
    pub(super) ebpf: Ebpf,
    pub(super) link: Option<PinnedLink>,
    /// An interface that came back and did not take the program: it is not tried each second.
    pub(super) refused: Option<u32>,
}

/// Programs that are loaded and on no interface yet, and the rules, which are taken from here: what is
/// to be in force can be put in force before the first packet meets it.
pub struct Loaded {
    options: Options,
    ids: Vec<InterfaceId>,
    pub(super) ebpf: Vec<Ebpf>,
    life: Life,
    old: Vec<(u32, PathBuf)>,
    pub(super) pins: pins::PinDirectory,
}

impl Loaded {
    /// The rules and the never-block list, with what an earlier daemon left in them.
    ///
    /// # Errors
    /// When they can't be read, or were taken already.
    pub fn take_rules(&mut self) -> Result<RuleTables, KernelError> {
        RuleTables::new(self.ebpf.first_mut().ok_or(KernelError::NoInterface)?)
    }

    /// Attaches the programs to all interfaces, or to none; on links that an earlier daemon left they
    /// replace its programs.
    ///
    /// # Errors
    /// [`KernelError`] says what is missing and what to do.
    pub fn attach(self) -> Result<Kernel, KernelError> {
        let Self {
            options,
            ids,
            ebpf,
            mut life,
            old,
            mut pins,
        } = self;
        let mut instances = Vec::new();
        let mut attached = Vec::new();
        let mut promiscuous = Vec::new();
        // An earlier daemon's programs stay where they are if this goes wrong.
        let kept = !old.is_empty();
        if kept {
            pins.keep();
        }
        for ((interface, id), mut ebpf) in options.interfaces.iter().zip(&ids).zip(ebpf) {
            let (one, link) = attach::attach(&mut ebpf, interface, *id, &pins)?;
            promiscuous.push(promiscuous::hold(one.index)?);
            attached.push(one);
            instances.push(Instance {
                ebpf,
                link,
                refused: None,
            });
        }
        attach::release_others(&pins, &ids);
        pins.remove_other_versions();
        let mut legacy = Legacy::read(old);
        let inherited = life.inherit(&legacy)?;
        if !legacy.is_empty() {
            tracing::info!("took over from an earlier daemon");
        }
        legacy.bury();
        pins.stays(options.interfaces.iter().any(|one| one.inline));
        let first = &mut instances.first_mut().ok_or(KernelError::NoInterface)?.ebpf;
        let mut settings: Array<_, Pod<Settings>> = maps::take(first, "SETTINGS")?;
        let mut flows = FlowTables::new(first, &options)?;
        settings.set(0, Pod(flows.apply(options.settings)), 0)?;
        Ok(Kernel {
            cpu: maps::take(first, "CPU")?,
            inherited,
            left_over: legacy.rings,
            settings,
            flows,
            ring: Some(Ring::new(maps::take(first, "EVENTS")?)),
            attached,
            promiscuous,
            wanted: options.interfaces,
            instances,
            pins,
        })
    }
}

impl Kernel {
    /// Loads the programs; they are on no interface yet.
    ///
    /// # Errors
    /// [`KernelError`] says what is missing and what to do.
    pub fn prepare(options: &Options) -> Result<Loaded, KernelError> {
        options.preflight()?;
        let mut pins = pins::PinDirectory::open(&options.pin_root)?;
        let old = pins.lives();
        if !old.is_empty() {
            pins.keep();
        }
        life::forget_resized(&pins, &options.tables.entries())?;
        let ids = options
            .interfaces
            .iter()
            .map(|interface| InterfaceId::here(attach::index(&interface.name)?))
            .collect::<Result<Vec<_>, _>>()?;
        let life = Life::begin(&pins, &ids)?;
        let ebpf = (0..)
            .zip(&options.interfaces)
            .map(|(slot, interface)| {
                load::instance(
                    OBJECT,
                    options,
                    pins.path(),
                    &life.path,
                    slot,
                    interface.inline,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Loaded {
            options: options.clone(),
            ids,
            ebpf,
            life,
            old,
            pins,
        })
    }

    /// Loads the programs and attaches them to all interfaces, or to none.
    ///
    /// # Errors
    /// [`KernelError`] says what is missing and what to do.
    pub fn load(options: &Options) -> Result<Self, KernelError> {
        Self::prepare(options)?.attach()
    }

    /// True if programs and rules stay when the daemon goes.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.pins.is_kept()
    }

    /// The ring buffers of earlier daemons, with what they did not read; once.
    #[must_use]
    pub fn take_left_over(&mut self) -> Vec<Ring> {
        std::mem::take(&mut self.left_over)
    }

    /// What the counters of [`Self::counters`] hold of earlier daemons' time, in the same order.
    #[must_use]
    pub fn inherited(&self) -> &[Counters] {
        &self.inherited
    }

    /// The interfaces as they were attached, in the order of the options.
    #[must_use]
    pub fn interfaces(&self) -> &[Attached] {
        &self.attached
    }

    /// The ring buffer, once.
    #[must_use]
    pub fn take_ring(&mut self) -> Option<Ring> {
        self.ring.take()
    }

    /// Each interface's counters, summed over CPUs, in the order of [`Self::interfaces`]: since its
    /// program was first attached, by whichever daemon.
    ///
    /// # Errors
    /// When the kernel refuses the look-up.
    pub fn counters(&self) -> Result<Vec<Counters>, KernelError> {
        (0..)
            .zip(&self.inherited)
            .map(|(slot, inherited)| {
                let mut sum = life::counters(&self.cpu, slot)?;
                sum.merge(inherited);
                Ok(sum)
            })
            .collect()
    }

    /// Puts settings in force for all following packets.
    ///
    /// # Errors
    /// When the kernel refuses the update.
    pub fn apply(&mut self, settings: Settings) -> Result<(), KernelError> {
        let settings = self.flows.apply(settings);
        Ok(self.settings.set(0, Pod(settings), 0)?)
    }

    /// Takes the programs off their interfaces, unless they stay, and waits for their last packets; tables, ring and
    /// counters can still be read.
    pub fn detach(&mut self) {
        if self.stays() {
            return;
        }
        for instance in self.instances.drain(..) {
            if let Some(Err(error)) = instance.link.map(PinnedLink::unpin) {
                tracing::error!("a program stays on its interface: {error}");
            }
            drop(instance.ebpf);
        }
        life::wait_for_last_packets();
    }

    /// The flow tables.
    pub fn flows(&mut self) -> &mut FlowTables {
        &mut self.flows
    }
}
