//! A cable between a sender that makes its own segments and a Linux host that listens.

use std::{
    fs::File,
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use nix::sched::{CloneFlags, setns};
use pnet::datalink::{self, Channel, Config, DataLinkReceiver, DataLinkSender};
use proptest::{prelude::Rng, test_runner::TestRunner};
use tests::netns::{Namespace, remove_leftovers};

const SENDER: [u8; 4] = [10, 99, 0, 1];
const HOST: [u8; 4] = [10, 99, 0, 2];
const SENDER_MAC: [u8; 6] = [2, 0, 0, 0, 0x99, 1];
const HOST_MAC: [u8; 6] = [2, 0, 0, 0, 0x99, 2];
const PORT: u16 = 2_575;
const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A segment of the sender, by its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) shift: u32,
    pub(crate) bytes: Vec<u8>,
    flags: u8,
    wrong: bool,
    wrong_ip: bool,
}

impl Segment {
    pub(crate) fn new(shift: u32, bytes: &[u8]) -> Self {
        Self {
            shift,
            bytes: bytes.to_vec(),
            flags: ACK | 8,
            wrong: false,
            wrong_ip: false,
        }
    }

    /// A stream in segments of one size.
    pub(crate) fn cut(stream: &[u8], size: usize) -> Vec<Self> {
        let mut shift = 0;
        let pieces = stream.chunks(size).map(|piece| {
            let segment = Self::new(shift, piece);
            shift += u32::try_from(piece.len()).unwrap();
            segment
        });
        pieces.collect()
    }

    pub(crate) fn flags(self, flags: u8) -> Self {
        Self { flags, ..self }
    }

    pub(crate) fn wrong(self) -> Self {
        Self {
            wrong: true,
            ..self
        }
    }

    pub(crate) fn wrong_ip(self) -> Self {
        Self {
            wrong_ip: true,
            ..self
        }
    }
}

/// What a random schedule does.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    size: usize,
    choices: Vec<(u8, u32)>,
}

impl Order {
    pub(crate) fn random(runner: &mut TestRunner) -> Self {
        let rng = runner.rng();
        Self {
            size: rng.random_range(20..200),
            choices: (0..64)
                .map(|_| (rng.random_range(0..16), rng.random()))
                .collect(),
        }
    }

    pub(crate) fn kinds(&self) -> Vec<u8> {
        self.choices.iter().map(|(kind, _)| *kind).collect()
    }

    pub(crate) fn segments(&self, stream: &[u8]) -> Vec<Segment> {
        let plain = Segment::cut(stream, self.size);
        let mut all: Vec<(usize, Segment)> = Vec::new();
        let choices = self.choices.iter().cycle();
        for ((number, segment), (kind, chance)) in plain.iter().enumerate().zip(choices) {
            let place = number * 10;
            let here = segment.shift;
            let mut late = 0;
            let odd = match kind {
                // Two of four that are kept are the most that one of them waits for.
                0 | 1 => {
                    late = 10 * (1 + *chance as usize % 2) + 5;
                    None
                }
                2 => Some(segment.clone()),
                3 => Some(Segment::new(here, &[b'?'; 50]).wrong()),
                4 => Some(Segment::new(
                    here.wrapping_add(0x100_0000 + chance / 4),
                    b"?",
                )),
                5 => Some(Segment::new(here.wrapping_add(1 + chance % 9_999), b"").flags(4)),
                6 => Some(Segment::new(*chance, b"").flags(SYN)),
                7 => Some(Segment::new(here, b"????").flags(8)),
                8 => Some(Segment::new(here.wrapping_sub(1), b"")),
                9 => Some(Segment::new(*chance, b"").flags(SYN | ACK)),
                10 => Some(Segment::new(here, b"").flags(FIN | ACK).wrong()),
                _ => None,
            };
            all.extend(odd.map(|odd| (place, odd)));
            all.push((place + late + 1, segment.clone()));
        }
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, segment)| segment).collect()
    }
}

/// The cable.
pub(crate) struct Line {
    sender: Box<dyn DataLinkSender>,
    receiver: Box<dyn DataLinkReceiver>,
    listener: TcpListener,
    port: u16,
    frames: Vec<Vec<u8>>,
    _ends: [Namespace; 2],
}

/// Does something in a namespace, on a thread of its own.
fn within<T: Send>(namespace: &Namespace, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let file = File::open(format!("/run/netns/{}", namespace.name()))?;
    thread::scope(|scope| {
        let done = scope.spawn(|| {
            setns(file, CloneFlags::CLONE_NEWNET)?;
            work()
        });
        done.join().unwrap_or_else(|_| bail!("the thread failed"))
    })
}

impl Line {
    pub(crate) fn lay(name: &str) -> Result<Self> {
        remove_leftovers(name)?;
        let here = Namespace::create(&format!("{name}-a"))?;
        let there = Namespace::create(&format!("{name}-b"))?;
        here.cable("line0", &there, "line1")?;
        let text = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
        here.ip(&["link", "set", "line0", "address", &text(SENDER_MAC)])?;
        there.ip(&["link", "set", "line1", "address", &text(HOST_MAC)])?;
        let host = Ipv4Addr::from(HOST).to_string();
        there.ip(&["addr", "add", &format!("{host}/24"), "dev", "line1"])?;
        let sender = Ipv4Addr::from(SENDER).to_string();
        let neighbour = [
            "neigh",
            "replace",
            &sender,
            "lladdr",
            &text(SENDER_MAC),
            "dev",
            "line1",
        ];
        there.ip(&neighbour)?;
        let (sender, receiver) = within(&here, || {
            let interfaces = datalink::interfaces();
            let line = interfaces.iter().find(|one| one.name == "line0");
            let config = Config {
                read_timeout: Some(Duration::from_millis(5)),
                ..Config::default()
            };
            match datalink::channel(line.context("no line0")?, config)? {
                Channel::Ethernet(sender, receiver) => Ok((sender, receiver)),
                _ => bail!("no Ethernet"),
            }
        })?;
        let listener = within(&there, || {
            Ok(TcpListener::bind(SocketAddr::from((HOST, PORT)))?)
        })?;
        Ok(Self {
            sender,
            receiver,
            listener,
            port: 20_000,
            frames: Vec::new(),
            _ends: [here, there],
        })
    }

    /// Opens a connection, sends the segments and a FIN, and gives what the host's program read, and all frames.
    pub(crate) fn converse(&mut self, segments: &[Segment]) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
        self.port += 1;
        self.frames.clear();
        let isn = 0xffff_fe00;
        self.send(isn, 0, &Segment::new(0, b"").flags(SYN))?;
        let mut theirs = None;
        self.until(Duration::from_secs(2), |tcp| {
            theirs = Some(tcp.0);
            tcp.2 & (SYN | ACK) == SYN | ACK
        })?;
        let mut next = theirs.context("no SYN with ACK")?.wrapping_add(1);
        let base = isn.wrapping_add(1);
        self.send(base, next, &Segment::new(0, b"").flags(ACK))?;
        let (mut stream, _) = self.listener.accept()?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        let mut end = 0;
        for segment in segments {
            self.send(base, next, segment)?;
            let length = u32::try_from(segment.bytes.len())?;
            if !segment.wrong && segment.flags & ACK != 0 && segment.shift < 1 << 20 {
                end = end.max(segment.shift + length);
            }
            // The host answers some; so the frames are in the order in which a mirror has them.
            self.collect();
        }
        self.send(base, next, &Segment::new(end, b"").flags(FIN | ACK))?;
        let mut read = Vec::new();
        stream.read_to_end(&mut read)?;
        drop(stream);
        let fin = base.wrapping_add(end).wrapping_add(1);
        self.until(Duration::from_secs(2), |tcp| {
            if tcp.2 & FIN != 0 {
                next = tcp.0.wrapping_add(1);
            }
            tcp.2 & FIN != 0 && tcp.1 == fin
        })?;
        self.send(base, next, &Segment::new(end + 1, b"").flags(ACK))?;
        Ok((read, std::mem::take(&mut self.frames)))
    }

    fn send(&mut self, base: u32, acknowledges: u32, segment: &Segment) -> Result<()> {
        let sequence = base.wrapping_add(segment.shift);
        let flags = segment.flags;
        let mut builder = PacketBuilder::ethernet2(SENDER_MAC, HOST_MAC)
            .ipv4(SENDER, HOST, 64)
            .tcp(self.port, PORT, sequence, 64_000);
        for (bit, set) in [(FIN, true), (SYN, true), (4, true), (8, true)] {
            if set && flags & bit != 0 {
                builder = match bit {
                    FIN => builder.fin(),
                    SYN => builder.syn(),
                    4 => builder.rst(),
                    _ => builder.psh(),
                };
            }
        }
        if flags & ACK != 0 {
            builder = builder.ack(acknowledges);
        }
        if flags & 32 != 0 {
            builder = builder.urg(1);
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, &segment.bytes)?;
        if segment.wrong {
            frame[50] ^= 0x5a;
        }
        if segment.wrong_ip {
            frame[24] ^= 0x5a;
        }
        let sent = self.sender.send_to(&frame, None);
        sent.context("the line is closed")??;
        self.frames.push(frame);
        Ok(())
    }

    /// Takes what comes of this connection until something that is wanted: sequence, acknowledgement, flags.
    fn until(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut((u32, u32, u8)) -> bool,
    ) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(tcp) = self.take()
                && wanted(tcp)
            {
                return Ok(());
            }
        }
        bail!("the host did not answer")
    }

    fn collect(&mut self) {
        while self.take().is_some() {}
    }

    fn take(&mut self) -> Option<(u32, u32, u8)> {
        let frame = self.receiver.next().ok()?.to_vec();
        let sliced = SlicedPacket::from_ethernet(&frame).ok()?;
        let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else {
            return None;
        };
        if tcp.source_port() != PORT || tcp.destination_port() != self.port {
            // Our own, or another connection's.
            return Some((0, 0, 0));
        }
        let found = (
            tcp.sequence_number(),
            tcp.acknowledgment_number(),
            tcp.slice()[13],
        );
        self.frames.push(frame);
        Some(found)
    }
}
