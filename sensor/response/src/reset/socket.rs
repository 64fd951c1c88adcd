//! The packet sockets: taps at the mirrors, and the port that resets leave by (packet(7)).

use std::{
    io::{self, IoSliceMut},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{ControlMessageOwned, MsgFlags, SockFlag, recvmsg, send},
};
use pnet::{
    datalink::{self, NetworkInterface},
    util::MacAddr,
};
use sensor_kernel::socket::{attach_filter, bind_packet, packet_socket, want_vlan_tags};

use super::{
    ResetError, filter,
    flow::Flow,
    segment::{SNAP, TAG_KINDS, Tag},
};

/// Room for the one control message and its header.
const CONTROL: usize = 64;

/// An interface of this network namespace, up and Ethernet.
fn interface(name: &str) -> Result<(NetworkInterface, MacAddr), ResetError> {
    let interface = || name.to_owned();
    let found = datalink::interfaces()
        .into_iter()
        .find(|found| found.name == name)
        .ok_or_else(|| ResetError::NoInterface {
            interface: interface(),
        })?;
    let Some(mac) = found.mac.filter(|_| !found.is_loopback()) else {
        return Err(ResetError::NotEthernet {
            interface: interface(),
        });
    };
    if !found.is_up() {
        return Err(ResetError::Down {
            interface: interface(),
        });
    }
    Ok((found, mac))
}

/// The error of a system call that failed for an interface.
fn failed<'a>(
    interface: &'a str,
    call: &'static str,
) -> impl FnOnce(io::Error) -> ResetError + use<'a> {
    move |source| ResetError::System {
        call,
        interface: interface.to_owned(),
        source,
    }
}

/// Where copies of the flow's packets come in.
#[derive(Debug)]
pub(super) struct Tap {
    name: String,
    socket: OwnedFd,
    frame: Box<[u8; SNAP]>,
    control: Vec<u8>,
}

/// A copied frame.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    pub frame: &'a [u8],
    /// The outer VLAN tag, which the kernel took off.
    pub outer: Option<Tag>,
}

impl Tap {
    /// Opens an interface for the packets of one flow.
    pub(super) fn open(name: &str, flow: &Flow) -> Result<Self, ResetError> {
        let (interface, _) = interface(name)?;
        let socket =
            packet_socket(SockFlag::SOCK_NONBLOCK).map_err(failed(name, "a packet socket"))?;
        let filter = filter::program(flow).map_err(failed(name, "SO_ATTACH_FILTER"))?;
        attach_filter(&socket, &filter).map_err(failed(name, "SO_ATTACH_FILTER"))?;
        want_vlan_tags(&socket).map_err(failed(name, "PACKET_AUXDATA"))?;
        // Only now does it receive anything.
        #[expect(clippy::cast_possible_truncation, reason = "it is 3")]
        let all = libc::ETH_P_ALL as u16;
        bind_packet(&socket, interface.index, all).map_err(failed(name, "bind"))?;
        Ok(Self {
            name: name.to_owned(),
            socket,
            frame: Box::new([0; SNAP]),
            control: vec![0; CONTROL],
        })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next copy, if there is one now.
    pub(super) fn receive(&mut self) -> Result<Option<Copy<'_>>, ResetError> {
        let failed = |error: Errno| failed(&self.name, "recvmsg")(error.into());
        let mut buffers = [IoSliceMut::new(&mut self.frame[..])];
        let received = recvmsg::<()>(
            self.socket.as_raw_fd(),
            &mut buffers,
            Some(&mut self.control),
            MsgFlags::empty(),
        );
        let (length, outer) = match received {
            Ok(message) => {
                let outer = message.cmsgs().map_err(failed)?.find_map(outer_tag);
                (message.bytes, outer)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        Ok(Some(Copy {
            frame: &self.frame[..length.min(SNAP)],
            outer,
        }))
    }
}

/// The tag in a control message (`struct tpacket_auxdata`).
fn outer_tag(message: ControlMessageOwned) -> Option<Tag> {
    let ControlMessageOwned::Unknown(message) = message else {
        return None;
    };
    if message.cmsg_header.cmsg_level != libc::SOL_PACKET
        || message.cmsg_header.cmsg_type != libc::PACKET_AUXDATA
    {
        return None;
    }
    // Status, two lengths, two offsets, tag, its kind: 4 + 4 + 4 + 2 + 2 + 2 + 2 bytes.
    let bytes: &[u8; 20] = message.data_bytes.first_chunk()?;
    let [s0, s1, s2, s3, .., t0, t1, k0, k1] = *bytes;
    let status = u32::from_ne_bytes([s0, s1, s2, s3]);
    if status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let kind = if status & libc::TP_STATUS_VLAN_TPID_VALID == 0 {
        TAG_KINDS[0]
    } else {
        u16::from_ne_bytes([k0, k1])
    };
    Some(Tag {
        kind,
        control: u16::from_ne_bytes([t0, t1]),
    })
}

/// Where resets leave.
#[derive(Debug)]
pub(super) struct Port {
    name: String,
    socket: OwnedFd,
    mac: MacAddr,
}

impl Port {
    /// Opens an interface for sending.
    pub(super) fn open(name: &str) -> Result<Self, ResetError> {
        let (interface, mac) = interface(name)?;
        let socket = packet_socket(SockFlag::empty()).map_err(failed(name, "a packet socket"))?;
        // Protocol 0: it sends, and receives nothing.
        bind_packet(&socket, interface.index, 0).map_err(failed(name, "bind"))?;
        Ok(Self {
            name: name.to_owned(),
            socket,
            mac,
        })
    }

    /// The interface's own Ethernet address.
    pub(super) const fn mac(&self) -> MacAddr {
        self.mac
    }

    /// Sends a frame.
    pub(super) fn send(&self, frame: &[u8]) -> Result<(), ResetError> {
        send(self.socket.as_raw_fd(), frame, MsgFlags::empty())
            .map(|_| ())
            .map_err(|error| failed(&self.name, "send")(error.into()))
    }
}
