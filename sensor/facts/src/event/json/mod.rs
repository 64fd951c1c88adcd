//! An event as a line of JSON, byte for byte as its `Serialize` makes it, at about a quarter of the cost.
//!
//! Flows are nearly all events, and each has about a hundred fields: these, and what all events have in common, are written
//! field by field, with keys made ready at compile time. What else an event can say is left to [`serde_json`].

pub(super) mod line;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, io, net::IpAddr};

use self::line::{Key, Line};
use super::{Body, Event, FlowHalf, FlowReport, FlowState, FlowWhy};
use crate::time::Time;

impl Event {
    /// Appends the event as JSON, without an end of line: what [`serde_json`] makes of it, faster.
    ///
    /// # Errors
    /// When something in it has no JSON form; `to` is as it was.
    pub fn write_json(&self, to: &mut Vec<u8>) -> io::Result<()> {
        let before = to.len();
        let mut line = Line::new(to);
        let result = write(self, &mut line);
        line.finish();
        line.done();
        if result.is_err() {
            to.truncate(before);
        }
        result
    }
}

/// A value that is written here.
trait Put {
    /// Writes it, and a comma.
    fn put(&self, line: &mut Line<'_>);
}

/// Writes fields under their names: `? name` where there is one, `* name` where the list is not empty.
macro_rules! fields {
    ($line:ident:) => {};
    ($line:ident: ? $name:ident $($rest:tt)*) => {
        if let Some(value) = $name {
            $line.key(const { Key::new(stringify!($name)) });
            value.put($line);
        }
        fields!($line: $($rest)*);
    };
    ($line:ident: * $name:ident $($rest:tt)*) => {
        if !$name.is_empty() {
            $line.key(const { Key::new(stringify!($name)) });
            $name.put($line);
        }
        fields!($line: $($rest)*);
    };
    ($line:ident: $name:ident $($rest:tt)*) => {
        $line.key(const { Key::new(stringify!($name)) });
        $name.put($line);
        fields!($line: $($rest)*);
    };
}

fn write(event: &Event, line: &mut Line<'_>) -> io::Result<()> {
    // Without `..`, here and below: a field that is new has to be thought of.
    let Event {
        timestamp,
        v,
        flow_id,
        in_iface,
        vlan,
        src_ip,
        src_port,
        dest_ip,
        dest_port,
        proto,
        community_id,
        body,
    } = event;
    line.put([b'{']);
    fields!(line: timestamp v ?flow_id ?in_iface *vlan ?src_ip ?src_port ?dest_ip ?dest_port ?proto ?community_id);
    match body {
        Body::Flow { flow } => {
            line.put(*b"\"event_type\":\"flow\",\"flow\":");
            flow.put(line);
        }
        other => other.write(line)?,
    }
    line.end(b'}');
    Ok(())
}

impl Put for FlowReport {
    fn put(&self, line: &mut Line<'_>) {
        let Self {
            start,
            end,
            duration_ns,
            state,
            reason,
            midstream,
            reset,
            fragments,
            app_proto,
            icmp_type,
            src_mac,
            dest_mac,
            tunnels,
            first_payloads,
            to_server,
            to_client,
        } = self;
        line.put([b'{']);
        fields!(line: start end duration_ns state reason midstream reset fragments);
        fields!(line: ?app_proto ?icmp_type ?src_mac ?dest_mac *tunnels first_payloads to_server to_client);
        line.end(b'}');
    }
}

impl Put for FlowHalf {
    fn put(&self, line: &mut Line<'_>) {
        let Self {
            packets,
            bytes,
            payload_bytes,
            first,
            last,
            length_min,
            length_max,
            length_squares,
            sizes,
            interval_min_us,
            interval_max_us,
            interval_squares,
            intervals,
            retransmissions,
            gaps,
            duplicates,
            psh,
            syn,
            fin,
            rst,
            tcp_flags,
            window_min,
            window_max,
            ttl_min,
            ttl_max,
        } = self;
        line.put([b'{']);
        fields!(line: packets bytes payload_bytes ?first ?last length_min length_max length_squares sizes);
        fields!(line: ?interval_min_us ?interval_max_us interval_squares intervals retransmissions gaps duplicates);
        fields!(line: psh syn fin rst tcp_flags window_min window_max ttl_min ttl_max);
        line.end(b'}');
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Put for $number {
            #[inline]
            fn put(&self, line: &mut Line<'_>) {
                line.number(u64::from(*self));
            }
        })*
    };
}

numbers!(u8 u16 u32 u64);

impl Put for i32 {
    fn put(&self, line: &mut Line<'_>) {
        line.signed(i64::from(*self));
    }
}

impl Put for bool {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.flag(*self);
    }
}

impl Put for String {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.text(self);
    }
}

impl Put for Cow<'static, str> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.text(self);
    }
}

impl Put for FlowState {
    fn put(&self, line: &mut Line<'_>) {
        line.text(self.label());
    }
}

impl Put for FlowWhy {
    fn put(&self, line: &mut Line<'_>) {
        line.text(self.label());
    }
}

impl Put for Time {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.time(*self);
    }
}

impl Put for IpAddr {
    fn put(&self, line: &mut Line<'_>) {
        line.address(*self);
    }
}

impl<T: Put> Put for [T] {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.put([b'[']);
        for value in self {
            value.put(line);
        }
        line.end(b']');
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        self.as_slice().put(line);
    }
}

impl<T: Put> Put for Vec<T> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        self.as_slice().put(line);
    }
}
