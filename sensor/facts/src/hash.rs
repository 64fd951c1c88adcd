//! Short hashes as names for things of which there are many.

/// The first 64 bits of the BLAKE3 hash of some bytes.
pub fn short(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    let first = hash.as_bytes().first_chunk().copied();
    first.map_or(0, u64::from_le_bytes)
}
