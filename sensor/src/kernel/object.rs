//! The compiled kernel programs.

/// The eBPF object, or nothing where the binary was built without one.
pub static OBJECT: &[u8] = b"";
