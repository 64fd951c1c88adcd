//! The compiled kernel programs.

/// The eBPF object, aligned as an ELF reader wants it; empty where the binary was built without one.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/wardtap.bpf.o"));
