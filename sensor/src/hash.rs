//! Short names for things that are many.

/// The first 64 bits of a BLAKE3 hash.
pub(crate) fn short(hasher: &blake3::Hasher) -> u64 {
    let hash = hasher.finalize();
    let first = hash.as_bytes().first_chunk().copied();
    first.map_or(0, u64::from_le_bytes)
}
