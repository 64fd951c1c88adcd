//! The `wardtap` binary: daemon and command line in one.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Events are made in one thread and freed in another by the ten thousand: with the C library's allocator half of what
/// the daemon held at the end of a soak was free memory in pieces.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // SAFETY: there is no other thread yet that could read the environment meanwhile.
    unsafe { std::env::set_var(sensor_analysis::model::QUIET, "1") };
    sensor::cli::main()
}
