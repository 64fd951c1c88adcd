//! The `wardtap` binary.

fn main() {}
