//! What can go wrong between the daemon and the kernel, in words that say what to do.

use std::{io, path::PathBuf};

use aya::{EbpfError, maps::MapError, programs::ProgramError};

/// Why the kernel side could not be loaded or read.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// No interface was named.
    #[error(
        "no interface to listen on: name one with --interface or in the configuration, [[interface]]"
    )]
    NoInterface,
    /// The binary was built without kernel programs.
    #[error("this binary was built without its kernel programs: build it with `cargo xtask build`")]
    NoObject,
    /// The process lacks capabilities.
    #[error(
        "not permitted to load kernel programs (missing {missing}): run as root, or give the service {missing}"
    )]
    NotPermitted {
        /// Names of the capabilities.
        missing: String,
    },
    /// The kernel is too old.
    #[error("Linux {found} is too old: the kernel programs need 5.10 or newer")]
    OldKernel {
        /// Its release.
        found: String,
    },
    /// An interface does not exist.
    #[error("interface {name:?} does not exist here; there are: {there}")]
    UnknownInterface {
        /// The name asked for.
        name: String,
        /// The names that exist.
        there: String,
    },
    /// An interface refused all modes.
    #[error("can't attach to interface {name:?}: {why}")]
    Attach {
        /// The interface.
        name: String,
        /// What each mode answered.
        why: String,
    },
    /// The BPF file system can't be used.
    #[error("BPF file system at {path:?}: {source}; mount it with `mount -t bpf bpf /sys/fs/bpf`")]
    BpfFs {
        /// The directory.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Another daemon has its maps there.
    #[error("another wardtap has its maps pinned at {path:?}: stop it first")]
    PinsHeld {
        /// The directory.
        path: PathBuf,
    },
    /// What should outlive the daemon could not be pinned.
    #[error("can't pin on the BPF file system what has to outlive the daemon: {0}")]
    Pin(String),
    /// No slot is free for another rule.
    #[error("there are as many rules as the kernel's table holds: remove some first")]
    RulesFull,
    /// The object lacks a map or program that this daemon needs, or has another shape.
    #[error("the kernel object has no usable {name:?}: it is of another version than this binary")]
    Shape {
        /// The map's or program's name.
        name: &'static str,
    },
    /// Loading the object failed.
    #[error("loading the kernel programs: {0}")]
    Load(#[from] EbpfError),
    /// The kernel refused a program.
    #[error("the kernel refused the program: {0}")]
    Program(#[from] ProgramError),
    /// A map operation failed.
    #[error("kernel map: {0}")]
    Map(#[from] MapError),
    /// A system call of our own failed.
    #[error("{call}: {source}")]
    System {
        /// The call.
        call: &'static str,
        /// What it answered.
        source: io::Error,
    },
}
