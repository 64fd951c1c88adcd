//! The packet sockets: taps at the mirrors, and the port that resets leave by (packet(7)).

use std::{
    io::{self, IoSliceMut},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike,
        bind, recvmsg, send, socket,
    },
};
use pnet::{
    datalink::{self, NetworkInterface},
    util::MacAddr,
};

use super::{
    ResetError, filter,
    flow::Flow,
    segment::{TAG_KINDS, Tag},
};

/// Bytes of a frame that are read: all headers, with room for IPv6 extension headers.
pub(super) const SNAP: usize = 512;
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

/// A raw packet socket, that receives nothing before it is bound to a protocol.
fn raw(flags: SockFlag) -> Result<OwnedFd, (&'static str, io::Error)> {
    socket(
        AddressFamily::Packet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | flags,
        None,
    )
    .map_err(|error| ("a packet socket", error.into()))
}

fn bind_to(
    socket: &OwnedFd,
    interface: &NetworkInterface,
    protocol: u16,
) -> Result<(), (&'static str, io::Error)> {
    #[expect(clippy::cast_possible_truncation, reason = "they are 17 and 20")]
    const SIZES: (libc::sa_family_t, libc::socklen_t) = (
        libc::AF_PACKET as libc::sa_family_t,
        size_of::<libc::sockaddr_ll>() as libc::socklen_t,
    );
    let raw = libc::sockaddr_ll {
        sll_family: SIZES.0,
        sll_protocol: protocol.to_be(),
        sll_ifindex: interface.index.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: it is a whole packet address, and its size is told.
    let address = unsafe { LinkAddr::from_raw(std::ptr::from_ref(&raw).cast(), Some(SIZES.1)) };
    let address = address.ok_or_else(|| ("bind", Errno::EINVAL.into()))?;
    bind(socket.as_raw_fd(), &address).map_err(|error| ("bind", error.into()))
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
        let open = || {
            let socket = raw(SockFlag::SOCK_NONBLOCK)?;
            filter::attach(&socket, flow).map_err(|error| ("SO_ATTACH_FILTER", error))?;
            want_tags(&socket).map_err(|error| ("PACKET_AUXDATA", error))?;
            // Only now does it receive anything.
            #[expect(clippy::cast_possible_truncation, reason = "it is 3")]
            bind_to(&socket, &interface, libc::ETH_P_ALL as u16)?;
            Ok(socket)
        };
        let socket = open().map_err(|(call, source)| ResetError::System {
            call,
            interface: name.to_owned(),
            source,
        })?;
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
        let failed = |error: Errno| ResetError::System {
            call: "recvmsg",
            interface: self.name.clone(),
            source: error.into(),
        };
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

/// Asks for the metadata with the VLAN tag that the kernel takes off.
fn want_tags(socket: &OwnedFd) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "it is 4")]
    const SIZE: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int, of which the kernel is told the size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_AUXDATA,
            std::ptr::from_ref(&on).cast(),
            SIZE,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
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
        let open = || {
            let socket = raw(SockFlag::empty())?;
            // Protocol 0: it sends, and receives nothing.
            bind_to(&socket, &interface, 0)?;
            Ok(socket)
        };
        let socket = open().map_err(|(call, source)| ResetError::System {
            call,
            interface: name.to_owned(),
            source,
        })?;
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
            .map_err(|error| ResetError::System {
                call: "send",
                interface: self.name.clone(),
                source: error.into(),
            })
    }
}
