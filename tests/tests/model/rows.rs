//! Rows, with what Python's ONNX Runtime says of them.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use sensor_analysis::model::{FEATURES, NAMES, Row, csv::IDENTITY};
use sensor_facts::time::Time;
use tests::models;

/// How many rows are scored.
pub(crate) const ROWS: usize = 4_096;

/// Writes rows as CSV, and scores, p-values and shares as 32-bit floats.
const SCORE: &str = "
import sys
from pathlib import Path
import numpy as np
from wardtap_models import synthetic
from wardtap_models.rows import write
from wardtap_models.runtime import run
model, out, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
rows = synthetic.rows(count, seed=11, attacks=64)
rows = rows.take(np.arange(len(rows) - count, len(rows))).without_label()
write(out / 'rows.csv', rows)
for name, values in run(model, rows.features)._asdict().items():
    values.astype('<f4').tofile(out / name)
";

/// Rows with what Python says of them.
pub(crate) struct Known {
    pub(crate) rows: Vec<Row>,
    pub(crate) score: Vec<f32>,
    pub(crate) p: Vec<f32>,
    pub(crate) contrib: Vec<f32>,
}

/// Has Python score rows.
pub(crate) fn from_python(model: &Path) -> Result<Known> {
    let name = format!(
        "wardtap-scores-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    let folder = env::temp_dir().join(name);
    fs::create_dir_all(&folder)?;
    let (path, count) = (model.display().to_string(), ROWS.to_string());
    python(&["-c", SCORE, &path, &folder.display().to_string(), &count])?;
    let floats = |name: &str| -> Result<Vec<f32>> {
        let bytes = fs::read(folder.join(name))?;
        let (chunks, _) = bytes.as_chunks::<4>();
        Ok(chunks
            .iter()
            .map(|chunk| f32::from_le_bytes(*chunk))
            .collect())
    };
    let known = Known {
        rows: parse(&fs::read_to_string(folder.join("rows.csv"))?)?,
        score: floats("score")?,
        p: floats("p")?,
        contrib: floats("contrib")?,
    };
    fs::remove_dir_all(&folder)?;
    ensure!(known.contrib.len() == known.rows.len() * FEATURES);
    Ok(known)
}

/// Runs Python of the environment that trains models.
pub(crate) fn python(arguments: &[&str]) -> Result<String> {
    let output = Command::new(models::python()).args(arguments).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Reads CSV as `wardtap export features` writes it.
pub(crate) fn parse(text: &str) -> Result<Vec<Row>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().context("no header")?.split(',').collect();
    let wanted: Vec<&str> = IDENTITY.into_iter().chain(NAMES).collect();
    ensure!(header[..wanted.len()] == wanted, "{header:?}");
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let mut values = [0.0; FEATURES];
            for (value, text) in values.iter_mut().zip(&fields[IDENTITY.len()..]) {
                *value = text.parse()?;
            }
            let address = |text: &str, port: &str| {
                anyhow::Ok((text.parse::<std::net::IpAddr>()?, port.parse()?).into())
            };
            Ok(Row {
                time: Time(fields[0].parse()?),
                client: address(fields[1], "0")?,
                server: address(fields[2], fields[3])?,
                protocol: fields[4].parse()?,
                values,
            })
        })
        .collect()
}
