//! Puts the kernel programs into the binary.
//!
//! They are built apart, by `cargo xtask build`, since they need a toolchain of their own. Where they
//! are missing the binary is built without them, and says so when it is asked to listen.

use std::{env, fs, io, path::PathBuf};

/// Names another object than the workspace's.
const VARIABLE: &str = "WARDTAP_BPF_OBJECT";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let embedded =
        PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?).join("wardtap.bpf.o");
    let object = if let Some(path) = env::var_os(VARIABLE) {
        let path = PathBuf::from(path);
        fs::metadata(&path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{VARIABLE}={}: {error}", path.display()),
            )
        })?;
        path
    } else {
        let folder =
            PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?)
                .join("../../target/bpf");
        // Cargo watches a folder, but takes a path that is missing for one that has always changed.
        fs::create_dir_all(&folder)?;
        println!("cargo::rerun-if-changed={}", folder.display());
        folder.join("wardtap.bpf.o")
    };
    if object.is_file() {
        println!("cargo::rerun-if-changed={}", object.display());
        fs::copy(&object, &embedded)?;
    } else {
        fs::write(&embedded, b"")?;
    }
    Ok(())
}
