//! What one host sends that knows the sensor: frames of every trick, in turn. All come from its own Ethernet address.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, anyhow};
use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

use crate::{
    dicom::PACS_PORT,
    hl7,
    hospital::Role,
    netns::{Namespace, run},
    soak::frames::Dice,
    wire::Wire,
};

/// Nobody's Ethernet address: the switch floods it, and no host takes it.
const NOBODY: [u8; 6] = [2, 0, 0, 0, 0, 99];
const ALL: [u8; 6] = [0xff; 6];
/// A forged message: the whole of an HL7 connection.
const MESSAGE: &[u8] =
    b"\x0bMSH|^~\\&|LAB|WARD|EHR|SITE|20260101||ORU^R01|1|P|2.5\rPID|1||FORGED\r\x1c\r";
/// Frames that are sent of each trick before the next.
const BURST: u64 = 8;

/// The ends of a connection that goes on: client, its port, server, its port.
type Ends = (Ipv4Addr, u16, Ipv4Addr, u16);

/// The tricks, and whom they are aimed at.
pub(super) struct Tricks {
    wire: Wire,
    dice: Dice,
    own: [u8; 6],
    /// The hospital's connection of HL7, which forged segments are aimed at.
    target: Option<Ends>,
    /// Frames that were given to the interface.
    pub(super) sent: u64,
}

fn mac(role: Role) -> Result<[u8; 6]> {
    let text = role.mac();
    let bytes: Result<Vec<u8>, _> = text
        .split(':')
        .map(|it| u8::from_str_radix(it, 16))
        .collect();
    bytes?
        .try_into()
        .map_err(|_| anyhow!("no Ethernet address: {text}"))
}

/// The connection of a host to the HL7 receiver, as the host's own kernel has it.
pub(super) fn connection(host: &Namespace, from: Role) -> Result<Option<Ends>> {
    let text = run(host.command("cat").arg("/proc/net/tcp"))?;
    let port = |field: &str| -> Option<u16> {
        let (_, port) = field.split_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    let mut all = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        // 01 is an established connection.
        let ours = state == "01" && port(remote)? == hl7::PORT;
        let ends = (from.address(), port(local)?, Role::Ehr.address(), hl7::PORT);
        ours.then_some(ends)
    });
    Ok(all.next())
}

impl Tricks {
    pub(super) fn new(intruder: &Namespace) -> Result<Self> {
        Ok(Self {
            wire: Wire::open(intruder, "eth0")?,
            dice: Dice::new(0x0bad_cafe),
            own: mac(Role::Intruder)?,
            target: None,
            sent: 0,
        })
    }

    /// Aims forged segments at this connection.
    pub(super) fn aim(&mut self, at: Option<Ends>) {
        self.target = at;
    }

    fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.sent += 1;
        self.wire.send(frame)
    }

    fn ip(&self, from: Ipv4Addr, to: Ipv4Addr) -> PacketBuilderStep<etherparse::IpHeaders> {
        PacketBuilder::ethernet2(self.own, NOBODY).ipv4(from.octets(), to.octets(), 64)
    }

    /// A segment whose header `change` fills in; with a checksum that is wrong, its receiver drops it.
    fn segment(
        &mut self,
        ends: Ends,
        payload: &[u8],
        wrong_sum: bool,
        to: [u8; 6],
        change: impl FnOnce(&mut TcpHeader),
    ) -> Result<()> {
        let (source, port, destination, service) = ends;
        let mut tcp = TcpHeader::new(port, service, 1, 1_000);
        change(&mut tcp);
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(self.own, to)
            .ipv4(source.octets(), destination.octets(), 64)
            .tcp_header(tcp)
            .write(&mut frame, payload)?;
        if wrong_sum {
            // Behind the headers of Ethernet and IPv4.
            *frame.get_mut(14 + 20 + 16).context("no checksum")? ^= 0x55;
        }
        self.send(&frame)
    }

    /// An address that nobody has, of more networks than tables have places.
    fn made_up(&mut self) -> Ipv4Addr {
        let [.., a, b, c] = self.dice.next().to_be_bytes();
        Ipv4Addr::new(172, 16 | (a & 15), b, c)
    }

    fn port(&mut self) -> u16 {
        let [.., high, low] = self.dice.next().to_be_bytes();
        u16::from_be_bytes([high | 4, low])
    }

    /// One round of all tricks.
    pub(super) fn round(&mut self, number: u64) -> Result<()> {
        for step in 0..BURST {
            let at = number * BURST + step;
            self.decoy()?;
            self.jump_and_reset()?;
            self.router(at)?;
            self.refused()?;
            self.dhcp(at)?;
            self.snap(at)?;
            self.framed(at)?;
            self.messages()?;
            self.spoofed_arp(at)?;
            self.flood()?;
        }
        Ok(())
    }

    /// An answer of its own before the request, with a wrong checksum: it swaps client and server for who believes it.
    fn decoy(&mut self) -> Result<()> {
        let (archive, port) = (Role::Pacs.address(), self.port());
        let ends = (Role::Intruder.address(), port, archive, PACS_PORT);
        self.segment(ends, &[], true, NOBODY, |tcp| {
            (tcp.syn, tcp.ack) = (true, true);
        })?;
        self.segment(ends, &[], false, NOBODY, |tcp| tcp.syn = true)
    }

    /// Into a connection of the hospital: one byte far ahead of the window, and a reset that its receiver drops. Both reach
    /// the receiver.
    fn jump_and_reset(&mut self) -> Result<()> {
        let Some(ends) = self.target else {
            return Ok(());
        };
        let [_, _, _, _, a, b, c, d] = self.dice.next().to_be_bytes();
        let (sequence, to) = (u32::from_be_bytes([a, b, c, d]), mac(Role::Ehr)?);
        self.segment(ends, &[0x0b], true, to, |tcp| {
            (tcp.ack, tcp.sequence_number) = (true, sequence);
        })?;
        self.segment(ends, &[], true, to, |tcp| {
            (tcp.rst, tcp.sequence_number) = (true, sequence);
        })
    }

    /// Datagrams of made-up sources, and requests by ARP for addresses without a host.
    fn router(&mut self, at: u64) -> Result<()> {
        let source = self.made_up();
        let port = self.port();
        let mut frame = Vec::new();
        self.ip(source, Role::Pacs.address())
            .udp(port, 514)
            .write(&mut frame, &[0; 18])?;
        self.send(&frame)?;
        let asked = Ipv4Addr::from(0x0a4d_0190 + u32::try_from(at % 100)?);
        self.arp(1, Role::Intruder.address(), asked, ALL)
    }

    /// A made-up client, and a probe of a scan between many of them.
    fn refused(&mut self) -> Result<()> {
        let (source, from, to) = (self.made_up(), self.port(), self.port());
        let archive = Role::Pacs.address();
        self.segment((source, from, archive, to), &[], false, NOBODY, |tcp| {
            tcp.syn = true;
        })?;
        let ends = (Role::Intruder.address(), from, archive, to % 1_000);
        self.segment(ends, &[], false, NOBODY, |tcp| tcp.syn = true)
    }

    /// An acknowledgement of a lease that no server gave: the modality is told to be elsewhere.
    fn dhcp(&mut self, at: u64) -> Result<()> {
        let mut message = vec![2, 1, 6, 0];
        message.extend(u32::try_from(at)?.to_be_bytes());
        message.extend([0; 8]);
        message.extend([10, 77, 1, 200]);
        message.extend(Role::Intruder.address().octets());
        message.extend([0; 4]);
        message.extend(mac(Role::Modality)?);
        message.resize(236, 0);
        message.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 5, 54, 4]);
        message.extend(Role::Intruder.address().octets());
        message.extend(b"\x0c\x09CT_ROOM_1\xff");
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(self.own, NOBODY)
            .ipv4(Role::Intruder.address().octets(), [255; 4], 64)
            .udp(67, 68)
            .write(&mut frame, &message)?;
        self.send(&frame)
    }

    /// A request to connect behind an LLC and SNAP header.
    fn snap(&mut self, at: u64) -> Result<()> {
        let mut inner = Vec::new();
        self.ip(Role::Intruder.address(), Role::Pacs.address())
            .tcp(50_000, u16::try_from(at % 1_000)?, 1, 1_000)
            .syn()
            .write(&mut inner, &[])?;
        let packet = inner.get(14..).context("a frame")?;
        let mut frame = inner.get(..12).context("a frame")?.to_vec();
        frame.extend(u16::try_from(packet.len() + 8)?.to_be_bytes());
        frame.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
        frame.extend(packet);
        self.send(&frame)
    }

    /// A scan and a sweep that the modality is to be blamed for.
    fn framed(&mut self, at: u64) -> Result<()> {
        let (blamed, port) = (Role::Modality.address(), self.port());
        let ends = (
            blamed,
            port,
            Role::Pacs.address(),
            u16::try_from(at % 1_000)?,
        );
        self.segment(ends, &[], false, NOBODY, |tcp| tcp.syn = true)?;
        let asked = Ipv4Addr::from(0x0a05_0000 + u32::try_from(at % 200)?);
        let mut frame = Vec::new();
        self.ip(blamed, asked)
            .icmpv4_echo_request(1, 1)
            .write(&mut frame, &[0; 18])?;
        self.send(&frame)
    }

    /// An HL7 message that nobody asked for, a connection of its own each time.
    fn messages(&mut self) -> Result<()> {
        let ends = (
            self.made_up(),
            self.port(),
            Ipv4Addr::new(10, 88, 0, 1),
            hl7::PORT,
        );
        self.segment(ends, MESSAGE, false, NOBODY, |tcp| tcp.ack = true)
    }

    /// The archive's address at the intruder's Ethernet address, said to nobody.
    fn spoofed_arp(&mut self, at: u64) -> Result<()> {
        let to = Ipv4Addr::from(0x0a4d_01c8 + u32::try_from(at % 20)?);
        self.arp(2, Role::Pacs.address(), to, NOBODY)
    }

    /// Requests to connect of made-up sources to one service.
    fn flood(&mut self) -> Result<()> {
        let (source, port) = (self.made_up(), self.port());
        let ends = (source, port, Role::Ehr.address(), hl7::PORT);
        self.segment(ends, &[], false, NOBODY, |tcp| tcp.syn = true)
    }

    fn arp(
        &mut self,
        operation: u8,
        sender: Ipv4Addr,
        target: Ipv4Addr,
        to: [u8; 6],
    ) -> Result<()> {
        let mut frame = to.to_vec();
        frame.extend(self.own);
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
        frame.extend(self.own);
        frame.extend(sender.octets());
        frame.extend([0; 6]);
        frame.extend(target.octets());
        frame.resize(60, 0);
        self.send(&frame)
    }
}
