//! The `wardtap` binary: daemon and command line in one.

use std::process::ExitCode;

fn main() -> ExitCode {
    // SAFETY: there is no other thread yet that could read the environment meanwhile.
    unsafe { std::env::set_var(sensor::model::QUIET, "1") };
    sensor::cli::main()
}
