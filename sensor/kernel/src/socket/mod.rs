//! Options of sockets that no library wraps safely: packet sockets and their filters, and the send queue of TCP.

mod filter;
mod packet;
mod queue;

pub use filter::attach_filter;
pub use packet::{bind_packet, packet_socket, want_vlan_tags};
pub use queue::unacknowledged;
