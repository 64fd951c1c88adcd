//! An event as a line of JSON, byte for byte as its `Serialize` makes it, at about a quarter of the cost.
//!
//! Flows are nearly all events, and each has about a hundred fields: these, and what all events have in common, are written
//! field by field, with keys made ready at compile time. What else an event can say is left to [`serde_json`].

pub(super) mod line;
#[cfg(test)]
pub(super) mod tests;

use std::{borrow::Cow, io, net::IpAddr};

use self::line::{Key, Line};
use super::{Body, Event};
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
pub(super) trait Put {
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
    // Without `..`: a field that is new has to be thought of.
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

/// Of nothing its key is left out too.
impl<T: Put> Put for Option<T> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        if let Some(value) = self {
            value.put(line);
        }
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
