//! The simulated traffic for others: rows of features to train on, captures to look at.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::Context;
use sensor_analysis::model::{Row, csv};

use crate::{run::Sensor, traffic::Traffic, truth::Truth};

/// Writes a row for each report of a flow; with `label`, the class of the attack that it is part of comes last.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn features(traffic: &mut dyn Traffic, path: &Path, label: bool) -> anyhow::Result<u64> {
    let mut out = create(path)?;
    let truth = traffic.truth().clone();
    let last = if label { ",label" } else { "" };
    let mut result = writeln!(out, "{}{last}", csv::names());
    let mut rows = 0;
    Sensor::default().watch(traffic, &mut |seen| {
        let Some(row) = Row::of(seen).filter(|_| result.is_ok()) else {
            return;
        };
        rows += 1;
        result = write(&mut out, &row, label.then_some(&truth));
    });
    result
        .and_then(|()| out.flush())
        .with_context(|| format!("can't write {}", path.display()))?;
    Ok(rows)
}

fn write(out: &mut impl Write, row: &Row, truth: Option<&Truth>) -> io::Result<()> {
    let (client, server) = (row.client.ip(), row.server.ip());
    csv::row(out, row)?;
    if let Some(truth) = truth {
        let class = truth.episodes.iter().find(|episode| {
            // A flow is reported at its end or when it has been idle; its time is its last packet's.
            let within = (episode.begin..=episode.end).contains(&row.time);
            let by = |one| episode.suspects.contains(one);
            let at = |one| episode.victims.contains(one);
            within
                && ((by(&client) && (episode.victims.is_empty() || at(&server)))
                    || (by(&server) && at(&client))
                    || (episode.suspects.is_empty() && at(&server))
                    // It comes from made-up addresses; what else came in these minutes is among it.
                    || (episode.class == "syn_flood" && at(&server)))
        });
        write!(
            out,
            ",{}",
            class.map_or("", |episode| episode.class.as_str())
        )?;
    }
    out.write_all(b"\n")
}

/// Writes the frames of a time, hours from the begin on, as a capture (pcap with nanoseconds).
///
/// # Errors
/// When the file can't be written.
pub(crate) fn pcap(
    traffic: &mut dyn Traffic,
    path: &Path,
    from: f64,
    hours: f64,
) -> anyhow::Result<u64> {
    const HOUR: f64 = 3_600e9;
    let mut out = create(path)?;
    let begin = traffic.truth().begin.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "hours of a simulation"
    )]
    let at = |hours: f64| begin.cast_unsigned() + (hours.max(0.0) * HOUR) as u64;
    let (first, last) = (at(from), at(from + hours));
    let mut head = Vec::new();
    // Magic of nanosecond pcap, version 2.4, zone, accuracy, longest packet, Ethernet.
    head.extend(0xa1b2_3c4d_u32.to_le_bytes());
    head.extend([2, 0, 4, 0]);
    head.extend([0; 8]);
    head.extend(65_535_u32.to_le_bytes());
    head.extend(1_u32.to_le_bytes());
    let mut result = out.write_all(&head);
    let mut frames = 0;
    traffic.run(&mut |time, frame| {
        if result.is_err() || !(first..last).contains(&time) {
            return;
        }
        frames += 1;
        result = record(&mut out, time, frame);
    });
    result
        .and_then(|()| out.flush())
        .with_context(|| format!("can't write {}", path.display()))?;
    Ok(frames)
}

fn record(out: &mut impl Write, time: u64, frame: &[u8]) -> io::Result<()> {
    const SECOND: u64 = 1_000_000_000;
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let captured = frame.len() as u64;
    // A frame that was cut says how long it was: as its IPv4 header does.
    let whole = match frame {
        [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            0x08,
            0x00,
            _,
            _,
            high,
            low,
            ..,
        ] => captured.max(14 + u64::from(u16::from_be_bytes([*high, *low]))),
        _ => captured,
    };
    out.write_all(&number(time / SECOND))?;
    out.write_all(&number(time % SECOND))?;
    out.write_all(&number(captured))?;
    out.write_all(&number(whole))?;
    out.write_all(frame)
}

pub(crate) fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("can't create {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}
