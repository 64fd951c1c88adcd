//! Wardtap's kernel side: entry points only. What happens to a packet is in `sensor_common::engine`,
//! written once for the kernel and for the daemon; here it is given the kernel's maps, clock and ring
//! buffer.
//!
//! Built for `bpfel-unknown-none` by `cargo xtask build`; on any other target this is an empty program,
//! so that `cargo check --workspace` needs no BPF toolchain.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod kernel;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
