//! The rules as a program beside the daemon reads them.

use std::path::Path;

use aya::maps::{Array, Map, MapData};
use sensor_common::{ABI_VERSION, rule::Rule};

use crate::{KernelError, pod::Pod};

/// The rules that are pinned below a root, with or without a daemon: what the kernel enforces.
pub struct PinnedRules(Array<MapData, Pod<Rule>>);

impl PinnedRules {
    /// Opens them.
    ///
    /// # Errors
    /// When there are none, or the kernel refuses.
    pub fn open(root: &Path) -> Result<Self, KernelError> {
        let path = root.join(format!("v{ABI_VERSION}")).join("RULES");
        let map = Map::Array(MapData::from_pin(path)?);
        Ok(Self(Array::try_from(map)?))
    }

    /// What is in a slot.
    ///
    /// # Errors
    /// When there is no such slot.
    pub fn slot(&self, slot: u32) -> Result<Option<Rule>, KernelError> {
        let rule = self.0.get(&slot, 0)?.0;
        Ok((rule.id != 0).then_some(rule))
    }

    /// All of them.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn all(&self) -> Result<Vec<Rule>, KernelError> {
        let rules = (0..self.0.len()).filter_map(|slot| self.slot(slot).transpose());
        rules.collect()
    }
}
