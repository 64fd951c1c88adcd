//! The file of the baselines in the state directory.

use std::{borrow::Cow, io, net::IpAddr, path::Path};

use sensor_facts::time::Time;
use serde::{Deserialize, Serialize};

use super::{Baselines, Device, DeviceKind, Items, Windows};
use crate::{config::Baseline, learned};

/// The version of the file.
const VERSION: u32 = 1;
/// The file's name in the state directory.
const FILE: &str = "baseline.bin";

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: u32,
    begin: Option<Time>,
    site: Cow<'a, Items>,
    pools: Cow<'a, [Windows]>,
    devices: Vec<(IpAddr, Cow<'a, Device>)>,
}

impl Baselines {
    /// Reads what was learnt; a file that can't be read is logged and counts as empty.
    #[must_use]
    pub fn open(folder: &Path, options: Baseline) -> Self {
        let mut this = Self::new(options);
        let is_current = |stored: &Stored<'_>| stored.version == VERSION;
        let Some(stored) = learned::read(&folder.join(FILE), "the baselines", is_current) else {
            return this;
        };
        this.begin = stored.begin;
        this.site = stored.site.into_owned();
        this.pools = stored.pools.into_owned();
        this.pools
            .resize_with(DeviceKind::ALL.len(), Windows::default);
        for (address, device) in stored.devices {
            let device = device.into_owned();
            // What an established flow leaves behind.
            let proven = !device.items.is_empty();
            this.devices.add(address, device, proven);
        }
        this
    }

    /// Writes what is new to the disk, whole or not at all.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let stored = Stored {
            version: VERSION,
            begin: self.begin,
            site: Cow::Borrowed(&self.site),
            pools: Cow::Borrowed(&self.pools),
            // The one seen longest ago first, as they are read.
            devices: self
                .devices
                .iter()
                .rev()
                .map(|(address, device)| (*address, Cow::Borrowed(device)))
                .collect(),
        };
        learned::write(&folder.join(FILE), &stored)?;
        self.changed = false;
        Ok(())
    }
}
