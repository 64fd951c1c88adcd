//! What the inventory learns from flows.

use sensor_common::{flow::Flow, key::FlowKey, layer7::Protocol};
use sensor_facts::{observation::is_host, router::proves, time::Timebase};

use super::{
    ends::{ends, offered, used},
    hosts::Inventory,
};

impl Inventory {
    /// Takes the state of a running flow.
    pub fn flow_seen(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase) {
        self.flow(key, flow, timebase, false);
    }

    /// Takes the final state of a flow.
    pub fn flow_ended(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase) {
        self.flow(key, flow, timebase, true);
    }

    fn flow(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase, ended: bool) {
        let answered = flow.directions.iter().all(|half| half.packets > 0);
        let protocol = flow.protocol();
        for end in ends(key, flow) {
            if end.sent.packets == 0 || !is_host(end.address) {
                continue;
            }
            self.macs.add(end.mac, end.address);
            if proves(key.protocol, end.opened, end.sent, end.received) {
                let last = timebase.wall(end.sent.last);
                self.macs.passed(end.mac, end.address, last);
            }
            self.follow(end.mac, end.address, timebase.wall(end.sent.last));
            let service = offered(key.protocol, &end, protocol);
            let used = (end.opened && answered).then(|| used(key.protocol, &end, protocol));
            let times = (timebase.wall(end.sent.first), timebase.wall(end.sent.last));
            let host = self.host(end.address, answered || protocol != Protocol::None, times.0);
            host.seen(times.0, times.1);
            host.mac(end.mac);
            if ended {
                host.add_flow(end.sent.bytes, end.received.bytes, end.opened);
            }
            let omitted = service.map_or(0, |service| host.service(service))
                + used.flatten().map_or(0, |used| host.uses(used));
            self.omit(omitted);
        }
    }
}
