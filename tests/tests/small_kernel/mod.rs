//! A kernel with little room: small tables and a small ring.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::{path::PathBuf, time::Duration};

use sensor_common::settings::Settings;
use sensor_kernel::{Clock, InterfaceOptions, Options, TableSizes};

/// Tables with room for `entries` flows each.
pub(crate) const fn tables(entries: u32) -> TableSizes {
    TableSizes {
        established4: entries,
        established6: entries,
        fresh4: entries,
        fresh6: entries,
    }
}

/// What to load for a few flows, and to pin below `/sys/fs/bpf` in a folder of this name.
pub(crate) fn options(pins: &str, interfaces: Vec<InterfaceOptions>) -> Options {
    Options {
        interfaces,
        tables: tables(64),
        ring_bytes: 1 << 16,
        clock: Clock::Precise,
        settings: Settings::DEFAULT,
        pin_root: PathBuf::from("/sys/fs/bpf").join(pins),
        active: Duration::from_mins(1),
    }
}
