//! Programs for `cargo xtask bench`: the sensor with a frame that moves on by itself, and two references
//! in the same language. Not part of the product.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]

// Its macro is in scope for the modules after it.
#[cfg(target_arch = "bpf")]
#[macro_use]
mod kernel;

#[cfg(target_arch = "bpf")]
mod bench_programs;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
