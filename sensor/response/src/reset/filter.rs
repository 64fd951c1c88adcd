//! The classic BPF program (`SO_ATTACH_FILTER`, socket(7)) that lets only one flow's packets into a tap:
//! what passes by at the mirror costs the thread nothing.
//!
//! It is to be cheap, not to decide: [`super::segment::Segment::read`] looks again.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use libc::{
    BPF_ABS, BPF_ADD, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IMM, BPF_IND, BPF_JEQ, BPF_JMP, BPF_JSET,
    BPF_K, BPF_LD, BPF_LDX, BPF_LSH, BPF_MISC, BPF_RET, BPF_TAX, BPF_W, BPF_X, sock_filter,
};

use super::{
    flow::Flow,
    segment::{IPV4, IPV6, SNAP, TAG_KINDS, TAGS_MAX},
};

const TCP: u32 = 6;
/// IPv6 hop-by-hop options, routing header and destination options.
const EXTENSIONS: [u32; 3] = [0, 43, 60];
/// IPv4's fragment offset and its flag for more fragments.
const FRAGMENT: u32 = 0x3fff;
/// `PACKET_OUTGOING`: what this host sends itself.
const OUTGOING: u32 = 4;
/// `SKF_AD_OFF + SKF_AD_PKTTYPE`: the packet's type in place of its bytes.
const PACKET_TYPE: u32 = 0xffff_f004;

/// Where a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Next,
    Accept,
    Reject,
    Label(usize),
}

/// A program in the making.
#[derive(Debug, Default)]
struct Program {
    code: Vec<(u32, u32, To, To)>,
    /// Instruction that each label is at.
    labels: Vec<usize>,
}

impl Program {
    fn op(&mut self, code: u32, k: u32) {
        self.code.push((code, k, To::Next, To::Next));
    }

    fn equal(&mut self, k: u32, yes: To, no: To) {
        self.code.push((BPF_JMP | BPF_JEQ | BPF_K, k, yes, no));
    }

    fn label(&mut self) -> usize {
        self.labels.push(usize::MAX);
        self.labels.len() - 1
    }

    fn place(&mut self, label: usize) {
        self.labels[label] = self.code.len();
    }

    /// Instructions, the two ends last. A jump goes over 255 at most, and the program is shorter.
    fn finish(&self) -> io::Result<Vec<sock_filter>> {
        let accept = self.code.len();
        let code = self
            .code
            .iter()
            .enumerate()
            .map(|(at, &(code, k, yes, no))| {
                let jump = |to| {
                    let target = match to {
                        To::Next => at + 1,
                        To::Accept => accept,
                        To::Reject => accept + 1,
                        To::Label(label) => self.labels[label],
                    };
                    target
                        .checked_sub(at + 1)
                        .and_then(|by| u8::try_from(by).ok())
                };
                Some(sock_filter {
                    code: u16::try_from(code).ok()?,
                    jt: jump(yes)?,
                    jf: jump(no)?,
                    k,
                })
            });
        let end = |k| {
            Some(sock_filter {
                code: u16::try_from(BPF_RET | BPF_K).ok()?,
                jt: 0,
                jf: 0,
                k,
            })
        };
        let snap = u32::try_from(SNAP).unwrap_or(u32::MAX);
        code.chain([end(snap), end(0)])
            .collect::<Option<_>>()
            .ok_or_else(|| io::Error::other("the filter has a jump that is too long"))
    }
}

/// The program that lets the flow's packets through. X holds the bytes of VLAN tags, so offsets are those of an untagged frame; later
/// the start of the TCP header.
pub(super) fn program(flow: &Flow) -> io::Result<Vec<sock_filter>> {
    let mut p = Program::default();
    p.op(BPF_LD | BPF_W | BPF_ABS, PACKET_TYPE);
    p.equal(OUTGOING, To::Reject, To::Next);
    p.op(BPF_LDX | BPF_IMM, 0);
    let network = p.label();
    let version = if flow.a().is_ipv4() { IPV4 } else { IPV6 };
    let mut tag_bytes = 0;
    for depth in 0..=TAGS_MAX {
        p.op(BPF_LD | BPF_H | BPF_IND, 12);
        p.equal(u32::from(version), To::Label(network), To::Next);
        if depth == TAGS_MAX {
            break;
        }
        let tagged = p.label();
        let [first, second, third] = TAG_KINDS.map(u32::from);
        p.equal(first, To::Label(tagged), To::Next);
        p.equal(second, To::Label(tagged), To::Next);
        p.equal(third, To::Label(tagged), To::Reject);
        p.place(tagged);
        tag_bytes += 4;
        p.op(BPF_LDX | BPF_IMM, tag_bytes);
    }
    p.op(BPF_RET | BPF_K, 0);
    p.place(network);
    if version == IPV4 {
        p.op(BPF_LD | BPF_B | BPF_IND, 14 + 9);
        p.equal(TCP, To::Next, To::Reject);
        p.op(BPF_LD | BPF_H | BPF_IND, 14 + 6);
        p.code
            .push((BPF_JMP | BPF_JSET | BPF_K, FRAGMENT, To::Reject, To::Next));
    }
    let (backward, ab) = (p.label(), (flow.a(), flow.b()));
    direction(&mut p, ab, To::Label(backward));
    p.place(backward);
    direction(&mut p, (flow.b(), flow.a()), To::Reject);
    p.finish()
}

/// Accepts the packets of one direction, and goes on at `otherwise` with those of other addresses.
fn direction(p: &mut Program, (from, to): (SocketAddr, SocketAddr), otherwise: To) {
    let start = if from.is_ipv4() { 14 + 12 } else { 14 + 8 };
    let words = [from.ip(), to.ip()].into_iter().flat_map(words);
    for (offset, word) in (start..).step_by(4).zip(words) {
        p.op(BPF_LD | BPF_W | BPF_IND, offset);
        p.equal(word, To::Next, otherwise);
    }
    if from.is_ipv4() {
        p.op(BPF_LD | BPF_B | BPF_IND, 14);
        p.op(BPF_ALU | BPF_AND | BPF_K, 0x0f);
        p.op(BPF_ALU | BPF_LSH | BPF_K, 2);
        p.op(BPF_ALU | BPF_ADD | BPF_X, 0);
        p.op(BPF_MISC | BPF_TAX, 0);
        p.op(BPF_LD | BPF_W | BPF_IND, 14);
    } else {
        // With extension headers the ports are looked for outside.
        p.op(BPF_LD | BPF_B | BPF_IND, 14 + 6);
        for header in EXTENSIONS {
            p.equal(header, To::Accept, To::Next);
        }
        p.equal(TCP, To::Next, To::Reject);
        p.op(BPF_LD | BPF_W | BPF_IND, 14 + 40);
    }
    let ports = u32::from(from.port()) << 16 | u32::from(to.port());
    p.equal(ports, To::Accept, To::Reject);
}

fn words(address: IpAddr) -> Vec<u32> {
    match address {
        IpAddr::V4(address) => vec![address.to_bits()],
        IpAddr::V6(address) => {
            let octets = address.octets();
            let (words, _) = octets.as_chunks::<4>();
            words.iter().map(|word| u32::from_be_bytes(*word)).collect()
        }
    }
}
