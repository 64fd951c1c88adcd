//! A copy with VLAN tags, of which the kernel takes the outer off, is answered with the same tags.

use std::{
    io::IoSliceMut,
    net::SocketAddr,
    os::fd::{AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;
use nix::{
    libc,
    net::if_::if_nametoindex,
    setsockopt_impl, sockopt_impl,
    sys::socket::{
        AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
        recvmsg, setsockopt, socket,
    },
};
use sensor_facts::target::Transport;
use sensor_response::reset::{Flow, Limits, ResetOptions, Resetter, Vlan};
use tests::{ability, netns::Namespace, wire::Wire};

use super::LIMIT;

#[test]
fn a_tagged_copy_is_answered_with_its_tags() {
    const OUTER: [u8; 4] = [0x88, 0xa8, 0x20, 0x64];
    const INNER: [u8; 4] = [0x81, 0x00, 0x00, 0xc8];
    if !ability::privileged() {
        return;
    }
    let namespace = Namespace::create(&format!("wt-reset-tags-{}", std::process::id())).unwrap();
    for (near, far) in [("tap0", "tap1"), ("out0", "out1")] {
        namespace
            .ip(&["link", "add", near, "type", "veth", "peer", "name", far])
            .unwrap();
        for name in [near, far] {
            namespace
                .ip(&["link", "set", name, "up", "arp", "off"])
                .unwrap();
        }
    }
    let (a, b): (SocketAddr, SocketAddr) = (
        "10.0.0.1:1000".parse().unwrap(),
        "10.0.0.2:22".parse().unwrap(),
    );
    let mut wire = Wire::open(&namespace, "tap1").unwrap();
    for vlan in [Vlan::Keep, Vlan::Strip] {
        for tags in [vec![], INNER.to_vec(), [OUTER, INNER].concat()] {
            let options = ResetOptions {
                mirrors: vec!["tap0".to_owned()],
                response: "out0".to_owned(),
                flow: Flow::new(Transport::Tcp, a, b).unwrap(),
                limits: Limits::default(),
                vlan,
            };
            let (handle, mut seen) = namespace
                .within(|| Ok((Resetter::start(options, |_| false)?, Resets::open()?)))
                .unwrap();
            let mut frame = Vec::new();
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
                .tcp(1000, 22, 5_000, 512)
                .ack(7_000)
                .write(&mut frame, b"line\n")
                .unwrap();
            frame.splice(12..12, tags.iter().copied());
            wire.send(&frame).unwrap();
            let expected = if vlan == Vlan::Keep { tags } else { vec![] };
            for number in [7_000, 5_005] {
                let (found, sequence) = seen.next().unwrap();
                assert_eq!((&found, sequence), (&expected, number), "{vlan:?}");
            }
            let report = handle.stop();
            assert_eq!((report.packets_seen, report.sent()), (1, 2), "{report:?}");
        }
    }
}

sockopt_impl!(
    /// Asks for the metadata with the VLAN tag that the kernel takes off.
    PacketAuxdata,
    SetOnly,
    libc::SOL_PACKET,
    libc::PACKET_AUXDATA,
    bool
);

/// Resets that come out of the far end of the response interface's cable.
struct Resets {
    socket: OwnedFd,
    interface: usize,
}

impl Resets {
    fn open() -> anyhow::Result<Self> {
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::EthAll,
        )?;
        setsockopt(&socket, PacketAuxdata, &true)?;
        let interface = usize::try_from(if_nametoindex("out1")?)?;
        Ok(Self { socket, interface })
    }

    /// The tags of the next reset that comes in, and its sequence number.
    fn next(&mut self) -> anyhow::Result<(Vec<u8>, u32)> {
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            let (mut buffer, mut control) = ([0; 256], vec![0; 64]);
            let mut buffers = [IoSliceMut::new(&mut buffer)];
            let received = recvmsg::<LinkAddr>(
                self.socket.as_raw_fd(),
                &mut buffers,
                Some(&mut control),
                MsgFlags::empty(),
            );
            let Ok(message) = received else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            let mut tags = message.cmsgs()?.find_map(outer).unwrap_or_default();
            let (length, address) = (message.bytes, message.address);
            let frame = &buffer[..length];
            let inner = if frame[12..14] == [0x81, 0] { 4 } else { 0 };
            tags.extend(&frame[12..12 + inner]);
            let ip = &frame[14 + inner..];
            // At the near end of the cable it has not lost its tag yet.
            let arrived = address.is_some_and(|address| address.ifindex() == self.interface);
            if arrived && ip[20 + 13] & 4 != 0 {
                return Ok((tags, u32::from_be_bytes(ip[24..28].try_into()?)));
            }
        }
        anyhow::bail!("no reset")
    }
}

/// The tag that the kernel took off, as it was on the wire.
fn outer(message: ControlMessageOwned) -> Option<Vec<u8>> {
    let ControlMessageOwned::Unknown(message) = message else {
        return None;
    };
    let bytes = message.data_bytes;
    let status = u32::from_ne_bytes(bytes[..4].try_into().ok()?);
    let [tag, kind] = [16, 18].map(|at| u16::from_ne_bytes([bytes[at], bytes[at + 1]]));
    (status & libc::TP_STATUS_VLAN_VALID != 0)
        .then(|| [kind.to_be_bytes(), tag.to_be_bytes()].concat())
}
