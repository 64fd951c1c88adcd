//! An event as a line of JSON, byte for byte as its `Serialize` makes it, at about a quarter of the cost.
//!
//! Flows are nearly all events, and each has about a hundred fields: these, and what all events have in common, are written
//! field by field, with keys made ready at compile time. What else an event can say is left to [`serde_json`].

pub(super) mod line;
pub(super) mod put;
#[cfg(test)]
pub(super) mod tests;

use std::io;

use self::{
    line::{Key, Line},
    put::Put,
};
use super::{Body, Event};

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
