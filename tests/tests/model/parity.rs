//! The same rows, the same scores: in Python and here, at once and on a thread.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use sensor_analysis::model::{FEATURES, Model, ScoreRequest, Scorer};
use tests::{ability, models, sensor::binary, wait::wait_for};

use super::{
    LIMIT, State, fixture,
    rows::{ROWS, from_python, parse, python},
    runtime,
};

#[test]
fn python_and_the_daemon_give_the_same_scores() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let runtime = runtime()?;
    let mut names = vec!["good"];
    if models::has_keras() {
        names.push("keras");
    } else {
        println!("SKIPPED: the Keras model, TensorFlow is not installed: run `cargo xtask models`");
    }
    for name in names {
        let path = fixture(name)?;
        let known = from_python(&path)?;
        ensure!(known.rows.len() == ROWS, "{} rows", known.rows.len());
        let mut model = Model::open(&runtime, &path)?;
        let (mut worst, mut strange) = (0.0_f32, 0);
        for (number, batch) in known.rows.chunks(1_000).enumerate() {
            let first = number * 1_000;
            model.score(batch.iter().map(|row| &row.values), |at, score| {
                let at = first + at;
                let mut compare = |ours: f32, theirs: f32| {
                    let off = (ours - theirs).abs() / theirs.abs().max(f32::MIN_POSITIVE);
                    worst = worst.max(if ours.to_bits() == theirs.to_bits() {
                        0.0
                    } else {
                        off
                    });
                };
                compare(score.score, known.score[at]);
                compare(score.p, known.p[at]);
                let contrib = &known.contrib[at * FEATURES..][..FEATURES];
                for (ours, theirs) in score.contrib.iter().zip(contrib) {
                    // A share of nothing is nothing.
                    if theirs.abs() > 1e-6 {
                        compare(*ours, *theirs);
                    }
                }
                strange += usize::from(score.p <= 0.001);
            })?;
        }
        println!("{name}: {ROWS} rows, {strange} strange, at most {worst:e} off");
        ensure!(worst <= 1e-5, "{name}: {worst:e} off");
    }
    Ok(())
}

#[test]
fn scoring_here_and_on_a_thread_is_the_same() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let path = fixture("good")?;
    let rows = from_python(&path)?.rows;
    let runtime = runtime()?;
    let ask = |scorer: &mut Scorer| {
        for (number, row) in rows.iter().enumerate() {
            scorer.ask(ScoreRequest {
                row: row.clone(),
                new_peer: number % 2 == 0,
            });
        }
    };
    let mut here = Scorer::inline(Model::open(&runtime, &path)?);
    ask(&mut here);
    let here = here.take();
    assert_eq!(here.len(), ROWS);
    assert!(
        here.iter()
            .zip(&rows)
            .all(|(scored, row)| scored.row == *row)
    );
    let explained = here.iter().filter(|one| one.p <= 0.001);
    assert!(explained.clone().all(|one| one.contrib.is_some()));
    assert!(explained.count() > 0);

    let slot = std::sync::Arc::new(sensor_analysis::model::Slot::with(Model::open(
        &runtime, &path,
    )?));
    let mut thread = Scorer::threaded(slot)?;
    ask(&mut thread);
    let mut there = Vec::new();
    wait_for("all scores", LIMIT, || {
        there.extend(thread.take());
        (there.len() == ROWS).then_some(())
    })?;
    let close = |a: f32, b: f32| (a - b).abs() <= 1e-5 * b.abs();
    for (a, b) in here.iter().zip(&there) {
        assert_eq!((&a.row, a.new_peer), (&b.row, b.new_peer));
        assert!(close(a.score, b.score), "{} {}", a.score, b.score);
    }
    Ok(())
}

#[test]
fn features_that_are_exported_are_those_that_python_reads() -> Result<()> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let captures = env::var_os("WARDTAP_CAPTURES").map_or(captures, PathBuf::from);
    let capture = captures.join("mix/mix-dev.pcap");
    if !ability::models(false) || !capture.is_file() {
        println!("SKIPPED: no capture {}", capture.display());
        return Ok(());
    }
    let state = State::new("export")?;
    let csv = state.0.join("features.csv");
    let export = |args: &[&Path]| {
        Command::new(binary()?)
            .args(["export", "features"])
            .args(args)
            .output()
            .map_err(anyhow::Error::from)
    };
    let output = export(&[&capture, Path::new("--output"), &csv])?;
    ensure!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&csv)?;
    let rows = parse(&text)?;
    assert!(rows.len() > 29_000, "{}", rows.len());
    assert!(rows.is_sorted_by_key(|row| row.time));
    let said = python(&["-c", READ, &csv.display().to_string()])?;
    let said: BTreeMap<String, f64> = serde_json::from_str(&said)?;
    let sum: f64 = rows.iter().flat_map(|row| row.values).map(f64::from).sum();
    #[expect(clippy::cast_precision_loss, reason = "there are thousands")]
    let count = rows.len() as f64;
    assert!(
        (said["rows"] - count).abs() < 0.5,
        "{} {count}",
        said["rows"]
    );
    assert!(
        (said["sum"] - sum).abs() <= sum * 1e-9,
        "{} {sum}",
        said["sum"]
    );

    // Whole, or not at all.
    let broken = state.0.join("broken.csv");
    let output = export(&[Path::new("/nowhere.pcap"), Path::new("--output"), &broken])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.pcap"));
    assert!(!broken.exists());
    Ok(())
}

/// Reads a file as the trainers do.
const READ: &str = "
import json, sys
from pathlib import Path
from wardtap_models.rows import read
rows = read(Path(sys.argv[1]))
print(json.dumps({'rows': float(len(rows)), 'sum': float(rows.features.astype('f8').sum())}))
";
