//! What windows cost: time of a device and bytes of it, and the time of the model.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use sensor_analysis::{
    baseline::Delta,
    behaviour::{Behaviour, Judged},
    model::WindowModel,
};
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What, is_public},
    time::Time,
};

use crate::wire::dice::Dice;

/// Nanoseconds of a window.
const WINDOW: i64 = 300_000_000_000;
/// Flows of a device in a window.
const FLOWS: usize = 20;
/// TCP.
const PROTOCOL: u8 = 6;

fn flow(time: i64, client: IpAddr, server: SocketAddr, bytes: u64) -> Observation {
    let half = Half {
        packets: 8,
        payload: 4,
        syn: 1,
        bytes,
        ..Half::EMPTY
    };
    Observation {
        time: Time(time),
        protocol: PROTOCOL,
        client: SocketAddr::new(client, 40_000),
        server,
        macs: [[0; 6]; 2],
        what: What::Flow(Box::new(FlowFacts {
            over: true,
            to_server: half,
            to_client: half,
            ..FlowFacts::default()
        })),
    }
}

/// Runs `windows` windows of so many devices, each with some flows to a few servers; what it took, in words.
#[expect(clippy::cast_precision_loss, reason = "a mean")]
pub(crate) fn measure(devices: u32, windows: i64, mut model: WindowModel) -> String {
    let mut behaviour = Behaviour::new(devices.saturating_mul(2));
    behaviour.set_scale(model.sha256(), model.needed().clone());
    behaviour.set_prior(model.prior().cloned());
    let mut d = Dice::new(1, 1);
    let (mut seeing, mut closing, mut judging) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut closed = 0_usize;
    for window in 0..windows {
        for device in 0..devices {
            let [_, b, c, e] = device.to_be_bytes();
            let client = IpAddr::from([10, b, c, e]);
            let all: Vec<Observation> = (0..FLOWS)
                .map(|nth| {
                    let last = u8::try_from(d.below(5) + 1).unwrap_or(1);
                    let (host, port) = ([172, 16, c, last], [443, 104, 445][nth % 3]);
                    let server = SocketAddr::new(IpAddr::from(host), port);
                    flow(window * WINDOW + 1, client, server, d.spread(4_000, 1.0))
                })
                .collect();
            let begin = Instant::now();
            for seen in &all {
                let delta = Delta {
                    to_server: 4_000,
                    to_client: 4_000,
                    first: true,
                    outside: false,
                };
                behaviour.observe(seen, Some(delta), is_public);
            }
            seeing += begin.elapsed();
        }
        let begin = Instant::now();
        let due = behaviour.due(Time((window + 1) * WINDOW), usize::MAX);
        let close = |device| behaviour.close(device);
        let mut judged: Vec<Judged> = due.into_iter().filter_map(close).collect();
        closing += begin.elapsed();
        closed += judged.len();
        let begin = Instant::now();
        if let Err(error) = model.judge(&mut judged) {
            return format!("the model fails: {error}\n");
        }
        judging += begin.elapsed();
        for one in &judged {
            behaviour.keep(one);
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / closed.max(1) as f64;
    let whole = each(seeing) + each(closing) + each(judging);
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(
        text,
        "{devices} devices that open {FLOWS} connections in each window, and their servers; {closed} windows\n\
         a window: {:.1} us to see its {FLOWS} connections at both ends, {:.1} us to close, {:.1} us for the model\n\
         {:.0} windows a second and core, so {:.0} devices a core, as each has a window in 300 s\n\
         {} bytes a device, with its history",
        each(seeing),
        each(closing),
        each(judging),
        1e6 / whole,
        300.0 * 1e6 / whole,
        behaviour.memory() as u64 / u64::from(devices)
    );
    text
}
