//! What is done by the clock: a piece of the flow tables each turn, housekeeping each second.

use std::{collections::HashMap, time::Instant};

use sensor_facts::clock;
use sensor_kernel::{Presence, Ring, Why};
use sensor_response::policy::neighbourhood;
use sensor_sessions::pipeline::FlowEndReason;

use super::{
    Capture, RECORDS_ALL,
    loss::{Behind, Loss},
};
use crate::live::responder::Pulse;

/// Turns in a second, at which housekeeping is due.
const TURNS_A_SECOND: u32 = 10;
/// Seconds between two counts of the known devices.
const CENSUS: u32 = 10;

impl Capture {
    /// Every 100 ms: a piece of the flow tables; every second: housekeeping.
    pub(crate) fn turn(&mut self, ring: &mut Ring) {
        // An ended flow is handed over after the records of its packets.
        self.drain(ring, RECORDS_ALL);
        let now = clock::monotonic();
        let created = self.sweep.needs_counters().then(|| self.read_counters());
        if created.is_some() {
            self.sweep.begin(&self.counters);
        }
        let (pipeline, events) = (&mut self.pipeline, &mut self.events);
        self.sweep.turn(self.kernel.flows(), now, |item| {
            let reason = match item.why {
                Why::Idle => FlowEndReason::Idle,
                Why::Closed => FlowEndReason::Closed,
                Why::Shutdown => FlowEndReason::Shutdown,
                Why::Active => return pipeline.flow_active(&item.key, &item.flow, events),
            };
            pipeline.flow_ended(&item.key, &item.flow, reason, events);
        });
        if self.sweep.is_complete() {
            self.read_counters();
            self.sweep.end(&self.counters);
            let seen = self.kernel.flows().census().take();
            self.mirror.survey(now, self.kernel.interfaces(), seen);
        }
        self.send();
        self.turns += 1;
        if self.turns.is_multiple_of(TURNS_A_SECOND) {
            self.second(now);
        }
    }

    /// An interface that came back has another index.
    fn look_after_interfaces(&mut self) {
        for (at, presence) in self.kernel.look_after() {
            let Some(one) = self.kernel.interfaces().get(at) else {
                continue;
            };
            let name = one.name.as_str();
            match presence {
                Presence::Gone => tracing::error!(
                    interface = name,
                    "the interface was taken away: nothing is seen there until one of that name is back"
                ),
                Presence::Back => {
                    tracing::warn!(interface = name, "the interface is back and listened on");
                    self.pipeline.name_interface(one.index, name);
                }
                Presence::Refused(error) => tracing::error!(
                    interface = name,
                    "the interface is back and can't be listened on, which takes a restart: {error}"
                ),
            }
        }
    }

    fn second(&mut self, now: u64) {
        self.look_after_interfaces();
        let timebase = clock::timebase();
        clock::tell_step(self.timebase, timebase);
        self.timebase = timebase;
        self.pipeline.set_timebase(timebase);
        self.pipeline.tick(now, &mut self.events);
        self.send();
        self.watch_mirror(now);
        let pressure = u32::from(self.kernel.flows().under_pressure());
        if pressure != self.options.kernel.settings.pressure {
            self.options.kernel.settings.pressure = pressure;
            if pressure != 0 {
                tracing::warn!(
                    "the table of established flows is three quarters full: only DICOM and HL7 flows enter it"
                );
            } else {
                tracing::info!("the table of established flows has room again");
            }
            self.apply();
        }
        self.pulse();
        if self.last_stats.elapsed() >= self.options.stats_interval {
            self.last_stats = Instant::now();
            let event = self.stats_event();
            self.output.send(event);
        }
    }

    /// Tells what began or ended to be wrong with what the interfaces bring.
    fn watch_mirror(&mut self, now: u64) {
        self.read_counters();
        let moment = (now, self.timebase.wall(now));
        let (interfaces, limits) = (self.kernel.interfaces(), &self.options.mirror);
        let events = self.mirror.tick(moment, interfaces, &self.counters, limits);
        for event in events {
            self.output.send(event);
        }
    }

    /// Which networks belong to the site.
    pub(super) fn watch_site(&mut self) {
        let inside = &self.options.response.analysis.detect.inside;
        self.kernel.flows().census().set(inside);
    }

    /// Tells the response how the capture fares.
    fn pulse(&mut self) {
        let lookout = self.kernel.flows().lookout();
        let seen = lookout.take();
        lookout.set(self.response.watch_list());
        let sum = |counter| {
            let counters = self.counters.iter();
            counters.map(|one| one.get(counter)).sum::<u64>()
        };
        let (all, proven) = self.evicted;
        let now = self.sweep.account().evicted;
        // Only then flows of both directions are among those that make room.
        let pressed = self.options.kernel.settings.pressure != 0;
        self.evicted = (now, proven + if pressed { now - all } else { 0 });
        let behind = Behind {
            flows: self.evicted.1,
            observations: self.unobserved,
        };
        let loss = Loss::of(sum, &self.pipeline.stats(), behind);
        let new = loss.since(std::mem::replace(&mut self.pulsed, loss));
        let seconds = self.turns / TURNS_A_SECOND;
        let devices = seconds.is_multiple_of(CENSUS).then(|| {
            let mut devices = HashMap::new();
            for address in self.pipeline.addresses() {
                *devices.entry(neighbourhood(address)).or_insert(0) += 1;
            }
            devices
        });
        self.response.pulse(Pulse {
            seen,
            offered: new.offered,
            lost: new.lost,
            devices,
        });
    }

    pub(crate) fn apply(&mut self) {
        let settings = self.options.kernel.settings;
        if let Err(error) = self.kernel.apply(settings) {
            tracing::error!("the settings of the kernel programs stay as they were: {error}");
        }
    }
}
