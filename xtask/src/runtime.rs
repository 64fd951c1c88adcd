//! The ONNX Runtime that models run in: out of the Python package's wheel, pinned by its hash.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    install,
    workspace::{run, target},
};

/// Version of the wheel.
const VERSION: &str = "1.32.0";
/// The wheels by architecture: platform tag, SHA-256. Any version of Python's would do: the library is the same.
const WHEELS: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "manylinux_2_28_x86_64",
        "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
    ),
    (
        "aarch64",
        "manylinux_2_28_aarch64",
        "2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
    ),
];

/// Its licence and the notices of what is in it, as the wheel names them.
pub(crate) const NOTICES: [&str; 2] = ["LICENSE", "ThirdPartyNotices.txt"];

/// Takes the library and the texts that go with it out of the wheel whose hash is right, in one read of it.
const UNPACK: &str = "
import hashlib, io, os, sys, zipfile
wheel, sha256, library, *notices = sys.argv[1:]
with open(wheel, 'rb') as file:
    data = file.read()
found = hashlib.sha256(data).hexdigest()
if found != sha256:
    sys.exit(f'{wheel} has the SHA-256 {found} instead of {sha256}: it is not used')
with zipfile.ZipFile(io.BytesIO(data)) as archive:
    names = [name for name in archive.namelist() if name.startswith('onnxruntime/capi/libonnxruntime.so')]
    with open(library, 'wb') as file:
        file.write(archive.read(names[0]))
    for notice in notices:
        with open(os.path.join(os.path.dirname(library), notice), 'wb') as file:
            file.write(archive.read('onnxruntime/' + notice))
";

fn folder() -> PathBuf {
    target().join("onnxruntime")
}

/// The runtime's library.
pub(crate) fn library() -> PathBuf {
    folder().join("libonnxruntime.so")
}

/// The version that is here.
pub(crate) fn version() -> Option<String> {
    let text = fs::read_to_string(folder().join("VERSION")).ok()?;
    let whole = library().is_file() && NOTICES.iter().all(|name| folder().join(name).is_file());
    whole.then(|| text.trim().to_owned())
}

/// Fetches the runtime, once.
///
/// # Errors
/// Without a wheel for this machine, without pip, or when the wheel is not the pinned one.
pub(crate) fn fetch() -> Result<PathBuf> {
    let library = library();
    if version().as_deref() == Some(VERSION) {
        return Ok(library);
    }
    let architecture = std::env::consts::ARCH;
    let Some((_, platform, sha256)) = WHEELS.iter().find(|one| one.0 == architecture) else {
        bail!("there is no ONNX Runtime for {architecture} in the Python package index");
    };
    println!(
        "fetching ONNX Runtime {VERSION} from the Python package index into {}, once: models run in it; 27 MB",
        folder().display()
    );
    // pip comes with the environment that the tests' HL7 peers live in.
    install::python()?;
    let python = tests::hl7::python();
    let wheels = folder().join("wheel");
    fs::create_dir_all(&wheels).with_context(|| wheels.display().to_string())?;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-deps", "--only-binary=:all:", "--implementation", "cp"])
        .args(["--python-version", "3.11", "--abi", "cp311", "--platform"])
        .arg(platform)
        .arg("--dest")
        .arg(&wheels)
        .arg(format!("onnxruntime=={VERSION}")))?;
    let wheel = wheels.join(format!("onnxruntime-{VERSION}-cp311-cp311-{platform}.whl"));
    unpack(&python, &wheel, sha256, &library)?;
    fs::write(folder().join("VERSION"), VERSION)?;
    fs::remove_dir_all(&wheels)?;
    Ok(library)
}

/// Beside the library first, then under its name.
fn unpack(python: &Path, wheel: &Path, sha256: &str, library: &Path) -> Result<()> {
    let new = library.with_extension("new");
    run(Command::new(python)
        .args(["-c", UNPACK])
        .arg(wheel)
        .arg(sha256)
        .arg(&new)
        .args(NOTICES))?;
    let magic = fs::read(&new)?;
    ensure!(
        magic.starts_with(b"\x7fELF"),
        "{} holds no library",
        wheel.display()
    );
    fs::rename(&new, library)?;
    Ok(())
}
