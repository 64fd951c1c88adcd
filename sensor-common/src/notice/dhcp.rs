//! DHCP (RFC 2131) as far as it may leave the kernel: [`crate::notice`] lists it.

use super::{
    limit::Lane,
    state::{NAME_MAX, Stage, TAPE_MAX},
};
use crate::{
    bytes::{Frame, View},
    cpu::Cpu,
    layer7::Step,
    registry::Tag,
    tape::{FIRST, LAST},
};

/// Bytes of a DHCP message before its options, the magic cookie included.
const DHCP_HEAD: u32 = 240;
const DHCP_COOKIE: u32 = 0x6382_5363;
/// Bytes of it that go out: all up to the client's hardware address.
const DHCP_TOLD: u32 = 34;
/// Operation of what a server says.
const DHCP_REPLY: u8 = 2;
const DHCP_PAD: u8 = 0;
const DHCP_END: u8 = 255;

/// True for the length of one to four IPv4 addresses.
#[inline(always)]
const fn are_addresses(length: u32) -> bool {
    length > 0 && length <= 16 && length.is_multiple_of(4)
}

/// One step: the head, or one option.
#[inline(always)]
pub(crate) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let (at, end) = (cpu.work.position, cpu.work.end);
    if cpu.notice.stage == Stage::Head as u8 {
        let head = frame.view::<{ DHCP_HEAD as usize }>(at)?;
        if at + DHCP_HEAD > end || head.be32::<236>() != DHCP_COOKIE || head.be16::<1>() != 0x0106 {
            return None;
        }
        if head.u8::<0>() == DHCP_REPLY {
            cpu.notice.lane = Lane::Leases as u8;
        }
        cpu.copy_with_sender(frame, Tag::DhcpHead, at, DHCP_TOLD);
        cpu.work.position = at + DHCP_HEAD;
        cpu.notice.set(Stage::Part);
        return Some(Step::More);
    }
    if at >= end {
        return Some(Step::Done);
    }
    let code = frame.u8(at)?;
    if code == DHCP_END {
        return Some(Step::Done);
    }
    if code == DHCP_PAD {
        cpu.work.position = at + 1;
        return Some(Step::More);
    }
    let length = u32::from(frame.u8(at + 1)?);
    if at + 2 + length > end {
        return None;
    }
    let (tag, wanted) = match code {
        3 => (Tag::DhcpRouters, are_addresses(length)),
        6 => (Tag::DhcpNameServers, are_addresses(length)),
        12 => (Tag::DhcpName, length > 0),
        50 => (Tag::DhcpRequested, length == 4),
        53 => (Tag::DhcpType, length == 1),
        54 => (Tag::DhcpServer, length == 4),
        60 => (Tag::DhcpVendor, length > 0),
        _ => (Tag::DhcpHead, false),
    };
    // The same option again and again would fill the tape.
    if wanted && cpu.work.tape_len < TAPE_MAX {
        let length = if length > NAME_MAX { NAME_MAX } else { length };
        cpu.copy_piece(frame, tag as u8, FIRST | LAST, at + 2, length);
    }
    cpu.work.position = at + 2 + length;
    Some(Step::More)
}
