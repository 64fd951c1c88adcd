//! `cargo xtask`: build, demo, test and bench commands.

fn main() {}
