//! Attaching to an interface: driver mode where the driver has it, else generic mode.

use std::fs;

use aya::{
    Ebpf,
    programs::{
        ProgramError, Xdp, XdpMode,
        links::{FdLink, PinnedLink},
        xdp::{XdpLink, XdpLinkId},
    },
};
use nix::net::if_::if_nametoindex;

use super::{
    KernelError,
    options::{InterfaceOptions, Mode},
    pins::{InterfaceId, LinkPin, PinDirectory},
};

/// An interface with a program on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The interface's name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// It is in the path, so rules drop there.
    pub inline: bool,
    /// The mode in force.
    pub mode: Mode,
    /// Frames may come in several buffers, of which the first is read (large MTU).
    pub frags: bool,
    /// Why driver mode was not possible, where it was asked for or tried.
    pub fallback: Option<String>,
    /// The interface is there. One that was taken away counts nothing until it comes back under its name.
    pub present: bool,
}

impl Attached {
    /// As configuration and status spell it.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        if self.inline { "inline" } else { "mirror" }
    }
}

/// The ways to attach, best first.
const WAYS: [(&str, Mode, bool); 3] = [
    ("wardtap", Mode::Driver, false),
    ("wardtap_frags", Mode::Driver, true),
    ("wardtap", Mode::Generic, false),
];

/// An interface's index.
pub(super) fn index(name: &str) -> Result<u32, KernelError> {
    if_nametoindex(name).map_err(|error| KernelError::System {
        call: "if_nametoindex",
        source: error.into(),
    })
}

/// Attaches an instance's program to `interface`, in place of an earlier daemon's where there is one.
pub(super) fn attach(
    ebpf: &mut Ebpf,
    interface: &InterfaceOptions,
    id: InterfaceId,
    pins: &PinDirectory,
) -> Result<(Attached, Option<PinnedLink>), KernelError> {
    let there = pins.links().into_iter().find(|pin| pin.interface == id);
    if let Some(pin) = there {
        match take_over(ebpf, interface, &pin, pins) {
            Ok(done) => return Ok(done),
            Err(why) => {
                tracing::warn!(
                    interface = interface.name,
                    "an earlier daemon's program can't be replaced in place, it is taken off first: {why}"
                );
                remove(&pin);
            }
        }
    }
    let index = id.index;
    let mut refusals = Vec::new();
    for (program, mode, frags) in WAYS {
        if interface.mode.is_some_and(|asked| asked != mode) {
            continue;
        }
        match try_way(ebpf, program, index, mode) {
            Ok(link) => {
                let link = pin(
                    ebpf,
                    program,
                    link,
                    &LinkPin::new(pins.path(), mode, frags, id),
                )?;
                let fallback = (!refusals.is_empty()).then(|| refusals.join("; "));
                if let Some(why) = &fallback {
                    tracing::warn!(
                        interface = interface.name,
                        mode = mode.label(),
                        frags,
                        "attached in a lesser mode: {why}"
                    );
                }
                let attached = Attached {
                    name: interface.name.clone(),
                    index,
                    inline: interface.inline,
                    mode,
                    frags,
                    fallback,
                    present: true,
                };
                return Ok((attached, link));
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
) -> Result<XdpLinkId, ProgramError> {
    let xdp = loaded(ebpf, program)?;
    let mode = match mode {
        Mode::Driver => XdpMode::Driver,
        Mode::Generic => XdpMode::Skb,
    };
    xdp.attach_to_if_index(index, mode)
}

fn loaded<'a>(ebpf: &'a mut Ebpf, program: &'static str) -> Result<&'a mut Xdp, ProgramError> {
    let xdp: &mut Xdp = ebpf
        .program_mut(program)
        .ok_or(ProgramError::UnexpectedProgramType)?
        .try_into()?;
    if xdp.fd().is_err() {
        xdp.load()?;
    }
    Ok(xdp)
}

/// Pins a link, so that it outlives the daemon.
fn pin(
    ebpf: &mut Ebpf,
    program: &'static str,
    link: XdpLinkId,
    pin: &LinkPin,
) -> Result<Option<PinnedLink>, KernelError> {
    let link = loaded(ebpf, program)?.take_link(link)?;
    // From Linux 5.9 on an attachment is a link.
    let link = FdLink::try_from(link).map_err(|error| KernelError::Pin(error.to_string()))?;
    let pinned = link.pin(&pin.path);
    Ok(Some(
        pinned.map_err(|error| KernelError::Pin(error.to_string()))?,
    ))
}

/// Puts an instance's program on the link that an earlier daemon pinned, at one stroke.
fn take_over(
    ebpf: &mut Ebpf,
    interface: &InterfaceOptions,
    there: &LinkPin,
    pins: &PinDirectory,
) -> Result<(Attached, Option<PinnedLink>), String> {
    if interface.mode.is_some_and(|asked| asked != there.mode) {
        return Err(format!("it is in {} mode", there.mode.label()));
    }
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let open = || PinnedLink::from_pin(&there.path);
    let link = FdLink::from(open().map_err(|error| told(&error))?);
    let link = XdpLink::try_from(link).map_err(|error| told(&error))?;
    let name = if there.frags {
        "wardtap_frags"
    } else {
        "wardtap"
    };
    let xdp = loaded(ebpf, name).map_err(|error| told(&error))?;
    xdp.attach_to_link(link).map_err(|error| told(&error))?;
    let here = LinkPin::new(pins.path(), there.mode, there.frags, there.interface);
    if here.path != there.path {
        fs::rename(&there.path, &here.path).map_err(|error| told(&error))?;
    }
    let pinned = PinnedLink::from_pin(&here.path).map_err(|error| told(&error))?;
    let attached = Attached {
        name: interface.name.clone(),
        index: there.interface.index,
        inline: interface.inline,
        mode: there.mode,
        frags: there.frags,
        fallback: (there.mode == Mode::Generic && interface.mode.is_none())
            .then(|| "an earlier daemon had it so".to_owned()),
        present: true,
    };
    Ok((attached, Some(pinned)))
}

/// Takes programs of earlier daemons off the interfaces that are not in `ids`.
pub(super) fn release_others(pins: &PinDirectory, ids: &[InterfaceId]) {
    for pin in pins.links() {
        if !ids.contains(&pin.interface) {
            tracing::info!(
                index = pin.interface.index,
                "an earlier daemon's program leaves an interface that is not listened on any more"
            );
            remove(&pin);
        }
    }
}

fn remove(pin: &LinkPin) {
    if let Err(error) = fs::remove_file(&pin.path) {
        tracing::warn!(path = %pin.path.display(), "can't remove a pinned link: {error}");
    }
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
