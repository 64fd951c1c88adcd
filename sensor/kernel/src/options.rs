//! What to load and where.

use std::{path::PathBuf, time::Duration};

use sensor_common::{
    flow::slot::hints,
    settings::{Clock, Settings},
};

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

impl TableSizes {
    /// Map names and entries.
    pub(super) fn entries(&self) -> [(&'static str, u32); 7] {
        [
            ("ESTABLISHED4", self.established4),
            ("KEPT4", self.established4),
            ("FREE4", self.established4),
            ("HINTS4", hints(self.established4)),
            ("ESTABLISHED6", self.established6),
            ("FRESH4", self.fresh4),
            ("FRESH6", self.fresh6),
        ]
    }
}

impl Default for TableSizes {
    /// About 120 MB in all.
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

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By the driver, before the kernel allocates anything for the packet.
    Driver,
    /// By the network stack, for any driver; slower.
    Generic,
}

impl Mode {
    /// As configuration and status spell it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Generic => "generic",
        }
    }
}
