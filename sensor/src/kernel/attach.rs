//! Attaching to an interface: driver mode where the driver has it, else generic mode.

use aya::{
    Ebpf,
    programs::{ProgramError, Xdp, XdpMode},
};
use nix::net::if_::if_nametoindex;

use super::{InterfaceOptions, KernelError};

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By the driver, before the kernel allocates anything for the packet.
    Driver,
    /// By the network stack, for any driver; slower.
    Generic,
}

impl Mode {
    /// As configuration and status spell it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Generic => "generic",
        }
    }
}

/// An interface with a program on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The interface's name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// The mode in force.
    pub mode: Mode,
    /// Frames may come in several buffers, of which the first is read (large MTU).
    pub frags: bool,
    /// Why driver mode was not possible, where it was asked for or tried.
    pub fallback: Option<String>,
}

/// The ways to attach, best first.
const WAYS: [(&str, Mode, bool); 3] = [
    ("wardtap", Mode::Driver, false),
    ("wardtap_frags", Mode::Driver, true),
    ("wardtap", Mode::Generic, false),
];

/// Attaches an instance's program to `interface`.
pub(super) fn attach(
    ebpf: &mut Ebpf,
    interface: &InterfaceOptions,
) -> Result<Attached, KernelError> {
    let index = if_nametoindex(interface.name.as_str()).map_err(|error| KernelError::System {
        call: "if_nametoindex",
        source: error.into(),
    })?;
    let mut refusals = Vec::new();
    for (program, mode, frags) in WAYS {
        if interface.mode.is_some_and(|asked| asked != mode) {
            continue;
        }
        match try_way(ebpf, program, index, mode) {
            Ok(()) => {
                let fallback = (!refusals.is_empty()).then(|| refusals.join("; "));
                if let Some(why) = &fallback {
                    tracing::warn!(
                        interface = interface.name,
                        mode = mode.label(),
                        frags,
                        "attached in a lesser mode: {why}"
                    );
                }
                return Ok(Attached {
                    name: interface.name.clone(),
                    index,
                    mode,
                    frags,
                    fallback,
                });
            }
            Err(error) => {
                let buffers = if frags { " with several buffers" } else { "" };
                refusals.push(format!(
                    "{} mode{buffers}: {}",
                    mode.label(),
                    explain(&error)
                ));
            }
        }
    }
    Err(KernelError::Attach {
        name: interface.name.clone(),
        why: refusals.join("; "),
    })
}

fn try_way(
    ebpf: &mut Ebpf,
    program: &'static str,
    index: u32,
    mode: Mode,
) -> Result<(), ProgramError> {
    let xdp: &mut Xdp = ebpf
        .program_mut(program)
        .ok_or(ProgramError::UnexpectedProgramType)?
        .try_into()?;
    if xdp.fd().is_err() {
        xdp.load()?;
    }
    let mode = match mode {
        Mode::Driver => XdpMode::Driver,
        Mode::Generic => XdpMode::Skb,
    };
    xdp.attach_to_if_index(index, mode)?;
    Ok(())
}

/// An attach error in words; the kernel's numbers say little.
fn explain(error: &ProgramError) -> String {
    let number = match error {
        ProgramError::SyscallError(call) => call.io_error.raw_os_error(),
        ProgramError::LoadError { io_error, .. } => io_error.raw_os_error(),
        _ => None,
    };
    match number {
        Some(libc::EBUSY) => "another XDP program is on the interface (see `ip link show`)".into(),
        Some(libc::ERANGE) => "the MTU is too large for the driver's XDP".into(),
        Some(libc::EOPNOTSUPP) => "the driver has no XDP".into(),
        _ => error.to_string(),
    }
}
