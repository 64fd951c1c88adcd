//! Models as the daemon has them: scores as in Python, the gate, hot reload while flows are scored, the way back, and
//! what is left after a restart.

mod parity;
mod rows;
mod windows;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rows::from_python;
use sensor::config;
use sensor_analysis::model::{LoadError, ModelFile, Models, Row, Runtime, ScoreRequest, Scorer};
use sensor_facts::{action::Action, rule::Actor, time::Time};
use tests::{ability, models, sensor::binary, wait::wait_for};

const LIMIT: Duration = Duration::from_secs(30);
const WHY: &str = "a test";

fn fixture(name: &str) -> Result<PathBuf> {
    Ok(models::made()?.join(format!("{name}.onnx")))
}

/// A state directory, removed with the test.
struct State(PathBuf);

impl State {
    fn new(name: &str) -> Result<Self> {
        let path = env::temp_dir().join(format!("wardtap-model-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// The files of models in it, by their hashes.
    fn file(&self, sha256: &str) -> PathBuf {
        self.0.join("models").join(format!("{sha256}.onnx"))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Runtime::load(Some(&models::runtime()))?)
}

fn options(path: Option<PathBuf>) -> config::Model {
    config::Model {
        path,
        runtime: Some(models::runtime()),
        ..config::Model::default()
    }
}

fn person() -> Actor {
    Actor::Person {
        uid: 0,
        name: Some("root".to_owned()),
    }
}

fn load(models: &Models, path: &Path, recorded: &[Row]) -> Result<(), LoadError> {
    let file = ModelFile::read(path)?;
    models
        .load(&file, recorded, None, (Time(1), &person(), WHY))
        .map(|_| ())
}

fn in_use(models: &Models) -> Option<String> {
    models.summary().model.map(|about| about.sha256)
}

fn sha256(path: &Path) -> Result<String> {
    Ok(ModelFile::read(path)?.sha256())
}

/// Each bad model of the fixture, and the check that it fails.
const BAD: &[(&str, &str)] = &[
    ("truncated", "format"),
    ("wrong-features", "features"),
    ("wrong-shape", "graph"),
    ("altered-weight", "golden rows"),
    ("miscalibrated", "recorded flows"),
    ("missing-output", "inputs and outputs"),
    ("external-data", "external data"),
    ("oversized", "size"),
    ("nan-scores", "finite scores"),
    ("forged", "signature"),
    ("wrong-hash", "hash"),
];

/// A thread that has rows scored all the time.
fn score_on(mut scorer: Scorer, rows: &[Row], end: &AtomicBool) -> u64 {
    let mut taken = 0;
    while !end.load(Ordering::Relaxed) {
        for row in rows {
            scorer.ask(ScoreRequest {
                row: row.clone(),
                new_peer: false,
            });
        }
        let mut answers = scorer.take();
        while answers.is_empty() && !end.load(Ordering::Relaxed) {
            thread::yield_now();
            answers = scorer.take();
        }
        taken += answers.len() as u64;
        assert!(
            answers
                .iter()
                .all(|one| one.score.is_finite() && one.p > 0.0)
        );
    }
    taken
}

/// Test binaries that use the models run side by side: one found them half written by another.
#[test]
fn models_for_tests_are_whole_when_several_ask() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("made")?;
    let written = || -> Result<Vec<_>> {
        let mut files = fs::read_dir(models::made_in(&state.0)?)?
            .map(|file| {
                let file = file?;
                Ok((file.path(), file.metadata()?.modified()?))
            })
            .collect::<Result<Vec<_>>>()?;
        files.sort();
        Ok(files)
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            // So that it asks while the first is writing.
            thread::sleep(Duration::from_secs(1));
            written()
        });
        let first = written()?;
        let other = other
            .join()
            .map_err(|_| anyhow::anyhow!("the other panicked"))??;
        ensure!(
            first == other,
            "written again after it was made: {first:?}, {other:?}"
        );
        Ok(())
    })
}

#[test]
fn each_bad_model_is_refused_while_scoring_goes_on() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("bad")?;
    let good = fixture("good")?;
    let known = from_python(&good)?;
    let usual = known
        .rows
        .into_iter()
        .zip(known.p)
        .filter(|(_, p)| *p > 0.01);
    let rows: Vec<Row> = usual.map(|(row, _)| row).collect();
    let (models, actions) = Models::start(options(Some(good.clone())), &state.0, Time(1));
    assert!(
        matches!(&actions[..], [Action::ModelLoaded(_)]),
        "{actions:?}"
    );
    let before = in_use(&models).context("a model in use")?;
    assert_eq!(before, sha256(&good)?);

    let end = AtomicBool::new(false);
    let scorer = models.scorer()?;
    let taken = thread::scope(|scope| -> Result<u64> {
        let worker = scope.spawn(|| score_on(scorer, &rows[..256], &end));
        let tried = (|| {
            for (name, check) in BAD {
                let so_far = models.summary().flows.scored;
                let refused = load(&models, &fixture(name)?, &rows).err();
                let refused = refused.with_context(|| format!("{name} was loaded"))?;
                println!("{name}: {refused}");
                ensure!(refused.check() == *check, "{name}: {refused:?}");
                ensure!(in_use(&models).as_ref() == Some(&before), "{name}");
                wait_for("scoring to go on", LIMIT, || {
                    (models.summary().flows.scored > so_far).then_some(())
                })?;
            }
            // With what the site sends it does not fit either.
            let strange: Vec<Row> = rows.iter().take(300).cloned().map(hundredfold).collect();
            let refused = load(&models, &fixture("other")?, &strange).err();
            let refused = refused.context("a model that does not fit was loaded")?;
            ensure!(refused.check() == "recorded flows", "{refused:?}");
            // And good ones are changed to and fro.
            for _ in 0..5 {
                load(&models, &fixture("other")?, &rows)?;
                ensure!(in_use(&models) == Some(sha256(&fixture("other")?)?));
                models.rollback((Time(2), &person(), WHY))?;
                ensure!(in_use(&models).as_ref() == Some(&before));
            }
            Ok(())
        })();
        end.store(true, Ordering::Relaxed);
        let taken = worker
            .join()
            .map_err(|_| anyhow::anyhow!("scoring panicked"))?;
        tried.map(|()| taken)
    })?;
    let flows = models.summary().flows;
    println!("{flows:?}, {taken} taken");
    assert!(taken > 0);
    assert_eq!((flows.failed, flows.no_model, flows.queue_full), (0, 0, 0));
    Ok(())
}

fn hundredfold(mut row: Row) -> Row {
    for value in &mut row.values {
        *value = *value * 1_000.0 + 1_000.0;
    }
    row
}

#[test]
fn only_trusted_keys_sign_where_there_are_some() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("signed")?;
    let key = fs::read_to_string(fixture("signing")?.with_extension("pub"))?;
    let options = config::Model {
        trusted_keys: vec![key.trim().parse().map_err(anyhow::Error::msg)?],
        ..options(None)
    };
    let (models, _) = Models::start(options, &state.0, Time(1));
    for name in ["good", "forged", "wrong-hash"] {
        ensure!(load(&models, &fixture(name)?, &[]).is_err(), "{name}");
    }
    assert_eq!(in_use(&models), None);
    load(&models, &fixture("signed")?, &[])?;
    let about = models.summary().model.context("a model in use")?;
    assert!(about.signed.contains(key.trim()), "{}", about.signed);
    Ok(())
}

#[test]
fn a_restart_finds_the_model_in_use_and_falls_back_where_it_is_damaged() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let state = State::new("restart")?;
    let (good, other, signed) = (fixture("good")?, fixture("other")?, fixture("signed")?);
    let start = |path: Option<&PathBuf>| Models::start(options(path.cloned()), &state.0, Time(1));
    let damage = |path: &Path| -> Result<()> {
        let model = state.file(&sha256(path)?);
        let mut bytes = fs::read(&model)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        Ok(fs::write(model, bytes)?)
    };

    let (models, _) = start(Some(&good));
    load(&models, &other, &[])?;
    drop(models);
    // The person's choice outlives the daemon.
    let (models, actions) = start(Some(&good));
    assert_eq!(in_use(&models), Some(sha256(&other)?));
    assert_eq!(actions, []);
    let entry = models.summary().entry.context("it is in the book")?;
    assert_eq!((entry.by, entry.reason.as_str()), (person(), WHY));
    drop(models);

    // Damaged: the one before, and it says so.
    damage(&other)?;
    let (models, actions) = start(None);
    assert_eq!(in_use(&models), Some(sha256(&good)?));
    let kinds: Vec<_> = actions.iter().map(kind).collect();
    assert_eq!(kinds, ["refused", "rolled back"], "{actions:?}");
    let warnings = models.summary().warnings.join("\n");
    assert!(warnings.contains("other.onnx is refused"), "{warnings}");
    drop(models);

    // That one too: what is configured.
    damage(&good)?;
    let (models, actions) = start(Some(&signed));
    assert_eq!(in_use(&models), Some(sha256(&signed)?));
    let kinds: Vec<_> = actions.iter().map(kind).collect();
    assert_eq!(kinds, ["refused", "refused", "loaded"], "{actions:?}");
    drop(models);

    // And nothing at all: it goes on without.
    fs::remove_dir_all(state.0.join("models"))?;
    fs::create_dir_all(state.0.join("models"))?;
    fs::write(state.0.join("models/book.json"), b"{\"current\":")?;
    let (models, actions) = start(None);
    assert_eq!((in_use(&models), &actions[..]), (None, &[][..]));
    let summary = models.summary();
    assert!(
        summary
            .why_none
            .is_some_and(|why| why.contains("model.path"))
    );
    let mut scorer = models.scorer()?;
    let row = from_python(&good)?.rows.swap_remove(0);
    scorer.ask(ScoreRequest {
        row,
        new_peer: true,
    });
    assert_eq!(scorer.take(), []);
    assert_eq!(models.summary().flows.no_model, 1);
    let refused = models.rollback((Time(2), &person(), WHY)).err();
    assert!(
        matches!(refused, Some(LoadError::NoPrevious)),
        "{refused:?}"
    );
    Ok(())
}

fn kind(action: &Action) -> &'static str {
    match action {
        Action::ModelLoaded(_) => "loaded",
        Action::ModelRolledBack(_) => "rolled back",
        Action::ModelRefused { .. } => "refused",
        _ => "other",
    }
}

#[test]
fn without_a_runtime_the_gate_says_so_and_nothing_panics() -> Result<()> {
    if !ability::models(false) {
        return Ok(());
    }
    let verify = |runtime: &str, path: &Path| -> Result<(Option<i32>, String)> {
        let output = Command::new(binary()?)
            .args(["model", "verify"])
            .arg(path)
            .env("ORT_DYLIB_PATH", runtime)
            .output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    };
    let good = fixture("good")?;
    let there = models::runtime().display().to_string();
    let (code, said) = verify(&there, &good)?;
    assert_eq!(code, Some(0), "{said}");
    // None, and what is none.
    let no_library = good.display().to_string();
    for runtime in ["/nowhere/libonnxruntime.so", no_library.as_str()] {
        let (code, said) = verify(runtime, &good)?;
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("ORT_DYLIB_PATH") && said.contains("not examined"),
            "{said}"
        );
        // The part of the gate that needs none works.
        let (code, said) = verify(runtime, &fixture("external-data")?)?;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("external data"), "{said}");
    }
    let (code, said) = verify(&there, Path::new("/nowhere/model.onnx"))?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/nowhere/model.onnx"), "{said}");
    Ok(())
}
