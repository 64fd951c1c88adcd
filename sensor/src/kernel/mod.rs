//! The kernel side as the daemon sees it: load, attach, read.
//!
//! Each interface runs a program instance of its own, whose slot in the per-CPU map and whose clock are
//! constants to the verifier; all instances share the maps, which are pinned below a directory with the
//! ABI version in its name.

mod attach;
mod error;
mod flows;
pub mod host;
mod load;
mod object;
mod pins;
mod pod;
mod promiscuous;
mod ring;
mod rule_keys;
mod rules;
mod test_bench;

use std::{os::fd::OwnedFd, path::PathBuf, time::Duration};

use aya::{
    Ebpf,
    maps::{Array, MapData, PerCpuArray},
};
use sensor_common::{counter::Counters, cpu::Cpu, settings::Settings};

pub use attach::{Attached, Mode};
pub use error::KernelError;
pub(crate) use flows::is_active_due;
pub use flows::{FlowTables, Occupancy, SweepItem, SweepStats, Why};
pub use object::OBJECT;
pub use ring::Ring;
pub use rules::{RuleOrder, RuleTables};
pub use sensor_common::settings::Clock;
pub use test_bench::{Place, TestBench};

use pod::Pod;

/// Where the pins are, unless set: a directory `v<ABI>` is made below.
pub const PIN_ROOT: &str = "/sys/fs/bpf/wardtap";

/// An interface to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceOptions {
    /// Its name.
    pub name: String,
    /// The mode that is asked for; `None` tries driver mode, then generic mode.
    pub mode: Option<Mode>,
    /// The interface is in the path, so rules drop there; otherwise it receives copies.
    pub inline: bool,
}

/// Sizes of the flow tables, in entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSizes {
    /// Established flows of IPv4.
    pub established4: u32,
    /// Established flows of IPv6.
    pub established6: u32,
    /// New flows of IPv4.
    pub fresh4: u32,
    /// New flows of IPv6.
    pub fresh6: u32,
}

impl Default for TableSizes {
    /// About 130 MB in all.
    fn default() -> Self {
        Self {
            established4: 65_536,
            established6: 16_384,
            fresh4: 65_536,
            fresh6: 16_384,
        }
    }
}

/// What to load and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The interfaces, at least one.
    pub interfaces: Vec<InterfaceOptions>,
    /// Table sizes.
    pub tables: TableSizes,
    /// Bytes of the ring buffer; a power of two, at least a page.
    pub ring_bytes: u32,
    /// The clock that flows are timed with.
    pub clock: Clock,
    /// What can change at run time.
    pub settings: Settings,
    /// Directory of the pins, on a BPF file system; [`PIN_ROOT`] unless set.
    pub pin_root: PathBuf,
    /// The active time-out: flows longer than this are reported each time it passes.
    pub active: Duration,
}

impl Options {
    /// Says what can be known to hinder [`Kernel::load`] before anything is touched.
    ///
    /// # Errors
    /// No or unknown interfaces, an old kernel, missing capabilities.
    pub fn preflight(&self) -> Result<(), KernelError> {
        load::preflight(self)
    }
}

/// The programs and maps in the kernel. Dropping it detaches the programs and removes the pins.
pub struct Kernel {
    // Held for their links: dropping an instance detaches its program.
    instances: Vec<Ebpf>,
    attached: Vec<Attached>,
    // Held for the mode: it ends with its socket.
    _promiscuous: Vec<OwnedFd>,
    cpu: PerCpuArray<MapData, Pod<Cpu>>,
    settings: Array<MapData, Pod<Settings>>,
    flows: FlowTables,
    rules: Option<RuleTables>,
    ring: Option<Ring>,
    _pins: pins::PinDirectory,
}

impl Kernel {
    /// Loads the programs and attaches them to all interfaces, or to none.
    ///
    /// # Errors
    /// [`KernelError`] says what is missing and what to do.
    pub fn load(options: &Options) -> Result<Self, KernelError> {
        load::preflight(options)?;
        let pins = pins::PinDirectory::create(&options.pin_root)?;
        let mut instances = Vec::new();
        let mut attached = Vec::new();
        let mut promiscuous = Vec::new();
        for (slot, interface) in (0..).zip(&options.interfaces) {
            let mut ebpf = load::instance(OBJECT, options, pins.path(), slot, interface.inline)?;
            let one = attach::attach(&mut ebpf, interface)?;
            promiscuous.push(promiscuous::hold(one.index)?);
            attached.push(one);
            instances.push(ebpf);
        }
        let first = instances.first_mut().ok_or(KernelError::NoInterface)?;
        let mut settings: Array<_, Pod<Settings>> = load::take(first, "SETTINGS")?;
        settings.set(0, Pod(options.settings), 0)?;
        Ok(Self {
            cpu: load::take(first, "CPU")?,
            settings,
            flows: FlowTables::new(first, options)?,
            rules: Some(RuleTables::new(first)?),
            ring: Some(Ring::new(load::take(first, "EVENTS")?)),
            attached,
            _promiscuous: promiscuous,
            instances,
            _pins: pins,
        })
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

    /// The rules, once.
    #[must_use]
    pub fn take_rules(&mut self) -> Option<RuleTables> {
        self.rules.take()
    }

    /// Each interface's counters, summed over CPUs, in the order of [`Self::interfaces`].
    ///
    /// # Errors
    /// When the kernel refuses the look-up.
    pub fn counters(&self) -> Result<Vec<Counters>, KernelError> {
        (0..)
            .zip(&self.attached)
            .map(|(slot, _)| counters(&self.cpu, slot))
            .collect()
    }

    /// Puts settings in force for all following packets.
    ///
    /// # Errors
    /// When the kernel refuses the update.
    pub fn apply(&mut self, settings: Settings) -> Result<(), KernelError> {
        self.flows.apply(settings);
        Ok(self.settings.set(0, Pod(settings), 0)?)
    }

    /// Takes the programs off their interfaces; tables, ring and counters can still be read.
    pub fn detach(&mut self) {
        self.instances.clear();
    }

    /// The flow tables.
    pub fn flows(&mut self) -> &mut FlowTables {
        &mut self.flows
    }
}

fn counters(cpu: &PerCpuArray<MapData, Pod<Cpu>>, slot: u32) -> Result<Counters, KernelError> {
    let mut sum = Counters::default();
    for value in cpu.get(&slot, 0)?.iter() {
        sum.merge(&value.0.counters);
    }
    Ok(sum)
}
