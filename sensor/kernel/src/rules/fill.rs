//! Which tables have entries: the programs look into no other.

/// Entries of each table, by the number of its bit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fill([u32; u32::BITS as usize]);

impl Fill {
    pub(super) fn of(&mut self, table: u32) -> &mut u32 {
        &mut self.0[(table.trailing_zeros() % u32::BITS) as usize]
    }

    pub(super) fn add(&mut self, table: u32) {
        *self.of(table) += 1;
    }

    pub(super) fn take(&mut self, table: u32) {
        let entries = self.of(table);
        *entries = entries.saturating_sub(1);
    }

    /// The bits of the tables that have entries.
    pub(super) fn tables(&self) -> u32 {
        (0..)
            .zip(self.0)
            .filter(|(_, entries)| *entries > 0)
            .fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}
