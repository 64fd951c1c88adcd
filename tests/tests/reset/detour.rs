//! Resets that come late.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Context;
use pnet::datalink::{self, Channel};
use tests::{
    hospital::{Hospital, RESPONSE},
    wire::Wire,
};

/// The end that resets are given, and the one where they are taken and sent on later.
pub(crate) const LATE: [&str; 2] = ["late0", "late1"];

/// A way that takes its time, from the sensor to its response interface.
pub(crate) struct Detour {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Detour {
    pub(crate) fn build(hospital: &Hospital, delay: Duration) -> Self {
        let sensor = hospital.sensor();
        let [near, far] = LATE;
        sensor
            .ip(&["link", "add", near, "type", "veth", "peer", "name", far])
            .unwrap();
        for name in LATE {
            sensor
                .ip(&["link", "set", name, "up", "arp", "off"])
                .unwrap();
        }
        let mut out = Wire::open(sensor, RESPONSE).unwrap();
        let input = sensor.within(|| {
            let found = datalink::interfaces().into_iter();
            let far = found.into_iter().find(|found| found.name == LATE[1]);
            let config = datalink::Config {
                read_timeout: Some(Duration::from_millis(1)),
                ..datalink::Config::default()
            };
            match datalink::channel(&far.context("no interface")?, config)? {
                Channel::Ethernet(_, input) => Ok(input),
                _ => anyhow::bail!("no Ethernet interface"),
            }
        });
        let mut input = input.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut frames = VecDeque::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(frame) = input.next() {
                    frames.push_back((Instant::now() + delay, frame.to_vec()));
                }
                while let Some((_, frame)) = frames.pop_front_if(|(due, _)| *due <= Instant::now())
                {
                    out.send(&frame).unwrap();
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn remove(mut self, hospital: &Hospital) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        hospital.sensor().ip(&["link", "delete", LATE[0]]).unwrap();
    }
}
