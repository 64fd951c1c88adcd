//! Which flows of the engine are over, or have gone on for long.

use sensor_common::{
    flow::Flow,
    key::{FlowKey, Key4},
    packet::protocol,
    settings::Settings,
};
use sensor_kernel::{Why, is_active_due};

use super::{engine::PortableEngine, table::Passes};

/// Calls of [`PortableEngine::sweep`] that together look at all flows.
pub const SWEEPS: u32 = 64;

fn part(places: usize) -> usize {
    places / usize::try_from(SWEEPS).unwrap_or(1) + 64
}

/// Why a flow is to be handed out, if it is.
fn due(
    protocol: u8,
    flow: &Flow,
    now: u64,
    settings: &Settings,
    active: u64,
    passes: Passes,
) -> Option<Why> {
    if flow.is_idle(protocol == protocol::TCP, now, settings) {
        Some(if flow.is_closed() {
            Why::Closed
        } else {
            Why::Idle
        })
    } else if is_active_due(flow, active, passes.last, passes.this) {
        Some(Why::Active)
    } else {
        None
    }
}

impl PortableEngine {
    /// Looks at a part of the tables (all of them within [`SWEEPS`] calls), removes the flows that are over
    /// at `now` and hands them out, and hands out long ones whose active time-out has passed.
    pub fn sweep(&mut self, now: u64, mut on: impl FnMut(&FlowKey, &Flow, Why)) {
        let (settings, active) = (self.settings, self.active);
        for table in [&mut self.established4, &mut self.fresh4] {
            let due = |key: &Key4, flow: &Flow, passes| {
                due(key.protocol, flow, now, &settings, active, passes)
            };
            table.sweep(part(table.places()), now, due, |key, flow, why| {
                on(&FlowKey::from(key), &flow.concealed(), why);
            });
        }
        for table in [&mut self.established6, &mut self.fresh6] {
            let due = |key: &FlowKey, flow: &Flow, passes| {
                due(key.protocol, flow, now, &settings, active, passes)
            };
            table.sweep(part(table.places()), now, due, |key, flow, why| {
                on(key, &flow.concealed(), why);
            });
        }
    }

    /// Removes all flows.
    pub fn drain(&mut self, mut on: impl FnMut(&FlowKey, &Flow, Why)) {
        for table in [&mut self.established4, &mut self.fresh4] {
            table.drain(|key, flow| on(&FlowKey::from(key), &flow.concealed(), Why::Shutdown));
        }
        for table in [&mut self.established6, &mut self.fresh6] {
            table.drain(|key, flow| on(key, &flow.concealed(), Why::Shutdown));
        }
    }
}
