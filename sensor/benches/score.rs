//! What scoring by the model costs a flow, on one core: features, inference, decision. Run by `cargo xtask bench`, which
//! names model and runtime.
//!
//! Processor time of the thread, not the clock's: others may use the machine. The least of several rounds.

use std::{
    env,
    error::Error,
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use sensor_analysis::{
    Analysis, AnalysisOptions, Outcome,
    model::{BATCH, Model, Row, Runtime, ScoreRequest, Scorer},
};
use sensor_common::layer7::Protocol;
use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    time::Time,
};

/// Flows of a round, of so many devices, and rounds.
const FLOWS: u32 = 65_536;
const DEVICES: u32 = 240;
const ROUNDS: usize = 5;
/// Between two flows, nanoseconds: five and a half minutes in all, so that a window ends.
const STEP: i64 = 5_000_000;
/// Flows a second on one core.
const GOAL: f64 = 150_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let named = |name: &str| {
        let value = env::var_os(name).map(PathBuf::from);
        value.ok_or_else(|| format!("{name} is not set: run `cargo xtask bench`"))
    };
    let path = named("WARDTAP_BENCH_MODEL")?;
    let runtime = Runtime::load(Some(&named("ORT_DYLIB_PATH")?))?;
    let flows: Vec<Observation> = (0..FLOWS).map(flow).collect();
    let rows: Vec<Row> = flows.iter().filter_map(Row::of).collect();

    let features = least(|| {
        let mut sum = 0.0;
        for one in &flows {
            if let Some(row) = Row::of(black_box(one)) {
                sum += row.values[1];
            }
        }
        black_box(sum);
    });
    let mut model = Model::open(&runtime, &path)?;
    let inference = least(|| {
        for batch in rows.chunks(BATCH) {
            let values = batch.iter().map(|row| &row.values);
            let run = model.score(values, |_, score| {
                black_box(score.p);
            });
            run.expect("the model was tried at the gate");
        }
    });
    let mut strange = 0_u32;
    model.score(
        rows.iter().take(BATCH).map(|row| &row.values),
        |_, score| {
            strange += u32::from(score.p <= 0.001);
        },
    )?;
    let mut scorer = Scorer::inline(model);
    let scoring = least(|| {
        for one in &flows {
            if let Some(row) = Row::of(black_box(one)) {
                let new_peer = false;
                scorer.ask(ScoreRequest { row, new_peer });
            }
        }
        black_box(scorer.take());
    });
    let without = analysis(&flows, || Ok(None))?;
    let with = analysis(&flows, || {
        let model = Model::open(&runtime, &path)?;
        Ok(Some(Scorer::inline(model)))
    })?;
    let decision = with.saturating_sub(without);

    println!(
        "{:<58} {:>8} {:>12} {:>10}",
        "one core", "us/flow", "flows/s", "x features"
    );
    let line = |what: &str, time: Duration| {
        let each = time.as_secs_f64() / f64::from(FLOWS);
        println!(
            "{what:<58} {:>8.2} {:>12.0} {:>10.1}",
            each * 1e6,
            1.0 / each,
            time.as_secs_f64() / features.as_secs_f64()
        );
    };
    line("features only", features);
    line("inference only, batches of 1,024", inference);
    line("features, batching, inference", scoring);
    line("features, batching, inference, decision", decision);
    line(
        "whole analysis: baselines, all detectors, no model",
        without,
    );
    line("whole analysis with the model", with);
    println!("\n{strange} of the first 1,024 flows are strange to the model: those cost most.");
    let rate = f64::from(FLOWS) / decision.as_secs_f64();
    println!(
        "Goal for features, inference and decision: {GOAL:.0} flows/s a core; {}.",
        if rate >= GOAL {
            "reached"
        } else {
            "not reached"
        }
    );
    Ok(())
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.map(Duration::from).unwrap_or_default()
}

fn least(mut round: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let begin = processor_time();
            round();
            processor_time().saturating_sub(begin)
        })
        .min()
        .unwrap_or_default()
}

/// The analysis of the flows, from nothing known on.
fn analysis(
    flows: &[Observation],
    scorer: impl Fn() -> Result<Option<Scorer>, Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut analysis = Analysis::new(AnalysisOptions::default());
        if let Some(scorer) = scorer()? {
            analysis.set_scorer(scorer);
        }
        let mut out = Outcome::default();
        let begin = processor_time();
        for one in flows {
            analysis.observe(one, &mut out);
        }
        black_box(&out);
        best = best.min(processor_time().saturating_sub(begin));
    }
    Ok(best)
}

/// A flow of a hospital's everyday, each a little different.
fn flow(number: u32) -> Observation {
    let mixed = number.wrapping_mul(2_654_435_761);
    let client = Ipv4Addr::from(0x0a00_0000 + mixed % DEVICES);
    let server = Ipv4Addr::from(0x0a00_0100 + mixed % 7);
    let (port, app) = [
        (104, Protocol::Dicom),
        (2_575, Protocol::Hl7),
        (443, Protocol::Tls),
        (53, Protocol::None),
    ][usize::try_from(mixed >> 8 & 3).unwrap_or(0)];
    let packets = 4 + u64::from(mixed >> 10 & 63);
    let half = |bytes: u64| Half {
        packets,
        bytes: packets * bytes,
        payload: packets * (bytes - 40),
        last: packets * 3_000_000,
        length_squares: packets * bytes * bytes,
        length_max: 1_500,
        interval_squares: packets * 9_000_000,
        interval_max: 40_000,
        syn: 1,
        fin: 1,
        push: 2,
        sizes: [1, 1, 1, 1, 1, 1, 0, 0],
        ..Half::default()
    };
    Observation {
        time: Time(1_767_607_200_000_000_000 + i64::from(number) * STEP),
        protocol: 6,
        client: SocketAddr::new(IpAddr::V4(client), 40_000),
        server: SocketAddr::new(IpAddr::V4(server), port),
        macs: [[0; 6]; 2],
        what: What::Flow(Box::new(FlowFacts {
            id: u64::from(number),
            over: true,
            app,
            duration: packets * 3_000_000,
            to_server: half(200 + u64::from(mixed >> 16 & 255)),
            to_client: half(100 + u64::from(mixed >> 12 & 1_023)),
            ..FlowFacts::default()
        })),
    }
}
