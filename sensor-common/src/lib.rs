//! Everything that Wardtap's kernel programs and its daemon must agree on, and the packet and flow
//! logic itself.
//!
//! The logic is written once, generic over how bytes are read ([`bytes::Frame`]) and where state
//! lives ([`engine::Platform`]), and compiles into two platforms: the XDP program (`sensor-ebpf`) and the
//! portable engine of the daemon (`sensor::capture`), which `wardtap replay` uses. No allocation, no
//! panics, no recursion, every loop bounded by a named constant.
//!
//! The way of a packet: [`engine::process`] → [`parse`] (link, IP, tunnels, transport) → [`flow`]
//! (features) → [`layer7::Stream`] (TCP order) → the protocol's reader in [`layer7`] (what may leave the kernel) →
//! [`tape`] and [`event`] (how it leaves). What hosts say of themselves in ARP, DHCP and multicast DNS goes by
//! [`notice`]. Most packets take a short cut: [`parse::segment`] → [`flow::Flow::follow`]. The protocols that are read
//! are declared in [`registry`].
#![no_std]
#![allow(
    clippy::inline_always,
    reason = "a call that is not inlined costs the packet path, and the verifier may not follow it"
)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "conversions that can fail would bring panics into the kernel; ranges are checked before"
)]

#[macro_use]
mod labels;

pub mod bytes;
pub mod contain;
pub mod counter;
pub mod cpu;
pub mod engine;
pub mod event;
pub mod flow;
pub mod key;
pub mod layer7;
pub mod notice;
pub mod packet;
pub mod parse;
pub mod registry;
pub mod rule;
pub mod settings;
pub mod tape;
pub mod time;
pub mod unread;

mod layout;

/// Version of every structure in this crate that crosses the boundary between kernel and user.
///
/// It is in the pin directory's name and in each event; the loader and the event reader refuse any
/// other.
pub const ABI_VERSION: u8 = 5;
