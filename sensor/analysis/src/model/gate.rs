//! The gate: what a model has to pass before a flow is scored by it.
//!
//! In this order, so that the runtime's parser sees nothing that was not signed: size, manifest, hash, signature,
//! format, external data, operators, metadata, schema, features; then, in the runtime: the graph, its inputs and
//! outputs, its golden rows, made-up rows, and a sane share of strange flows among those that were recorded.

use super::{
    About, FEATURES, Key, Model, ModelFile, Refusal, Row, Runtime, about,
    about::Golden,
    graph::{BATCH, Score},
    manifest::Manifest,
    onnx,
    probe::probes,
};

/// How far a golden score may be off, of itself.
const TOLERANCE: f32 = 1e-5;
/// Recorded flows below which they say nothing.
pub const RECORDED_MIN: usize = 200;
/// A flow counts as strange up to this p-value, as in the model's own recorded rate.
const STRANGE: f32 = super::STRANGE;
/// So many times its own rate may be found strange, and never more than the share.
const RATE_TIMES: f64 = 10.0;
const RATE_MAX: f64 = 0.05;
/// Rates below this count as this.
const RATE_MIN: f64 = 0.001;

/// What the gate goes by.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// Who may sign; none: anyone may, or none.
    pub trusted: &'a [Key],
    /// Flows that were recorded.
    pub recorded: &'a [Row],
}

/// A check that was passed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Check {
    /// What was checked.
    pub what: String,
    /// What was found.
    pub found: String,
}

/// What came of an examination.
#[derive(Debug)]
pub struct Examination {
    /// Checks that were passed.
    pub checks: Vec<Check>,
    /// The model, or why not.
    pub result: Result<Model, Refusal>,
}

struct Checks(Vec<Check>);

impl Checks {
    fn passed(&mut self, what: &str, found: impl Into<String>) {
        self.0.push(Check {
            what: what.to_owned(),
            found: found.into(),
        });
    }
}

/// The whole gate.
#[must_use]
pub fn examine(file: &ModelFile, runtime: &Runtime, gate: &Gate<'_>) -> Examination {
    let mut checks = Checks(Vec::new());
    let result = outside(file, gate.trusted, &mut checks)
        .and_then(|(about, golden)| inside(file, about, &golden, runtime, gate, &mut checks));
    Examination {
        checks: checks.0,
        result,
    }
}

/// The part of the gate for which no runtime is needed: checks that were passed, and what the model says of itself.
///
/// # Errors
/// [`Refusal`], with the checks before.
pub fn examine_outside(file: &ModelFile, trusted: &[Key]) -> (Vec<Check>, Result<About, Refusal>) {
    let mut checks = Checks(Vec::new());
    let result = outside(file, trusted, &mut checks).map(|(about, _)| about);
    (checks.0, result)
}

fn outside(
    file: &ModelFile,
    trusted: &[Key],
    checks: &mut Checks,
) -> Result<(About, Golden), Refusal> {
    if file.graph.len() > super::SIZE_MAX {
        return Err(Refusal::TooLarge);
    }
    checks.passed("size", format!("{} bytes", file.graph.len()));
    let manifest = Manifest::of(file)?;
    checks.passed("manifest", format!("made {}", manifest.created));
    checks.passed("hash", format!("SHA-256 {}", file.sha256()));
    let signed = manifest.signed(file, trusted)?;
    checks.passed("signature", signed.clone());
    let outline = onnx::read(&file.graph)?;
    checks.passed("format", format!("ONNX, {} nodes", outline.nodes));
    outline.is_whole()?;
    checks.passed("external data", "none");
    outline.uses_only(&["ai.onnx", "ai.onnx.ml"])?;
    let domains: Vec<_> = outline.domains.iter().map(String::as_str).collect();
    checks.passed("operators", domains.join(", "));
    about::fits(&outline.metadata)?;
    checks.passed("schema", super::SCHEMA);
    checks.passed("features", format!("{FEATURES}, in their order"));
    let known = About {
        name: file.name.clone(),
        sha256: file.sha256(),
        created: manifest.created,
        signed,
        ..About::default()
    };
    let (about, golden) = about::read(&outline.metadata, known)?;
    checks.passed(
        "metadata",
        format!(
            "{}, {} rows for training and {} for calibration",
            about.trainer, about.rows.train, about.rows.calibrate
        ),
    );
    Ok((about, golden))
}

fn inside(
    file: &ModelFile,
    about: About,
    golden: &Golden,
    runtime: &Runtime,
    gate: &Gate<'_>,
    checks: &mut Checks,
) -> Result<Model, Refusal> {
    let session = runtime
        .session(&file.graph)
        .map_err(|error| Refusal::Graph(error.to_string()))?;
    checks.passed("graph", format!("taken by {}", runtime.path().display()));
    let mut model = Model::new(session, about)?;
    checks.passed("inputs and outputs", "features to score, p, contrib");
    let worst = reproduces(&mut model, golden)?;
    checks.passed(
        "golden rows",
        format!("{} reproduced, at most {worst:.1e} off", golden.score.len()),
    );
    let made_up = probe(&mut model)?;
    checks.passed("finite scores", format!("of {made_up} made-up rows"));
    let found = recorded(&mut model, gate.recorded)?;
    checks.passed("recorded flows", found);
    Ok(model)
}

fn sound(score: &Score<'_>, row: impl Fn() -> String) -> Result<(), Refusal> {
    if score.is_sound() {
        return Ok(());
    }
    let what = if score.score.is_finite() && score.p > 0.0 && score.p <= 1.0 {
        "a share of a feature".to_owned()
    } else {
        format!("the score {} and the p-value {}", score.score, score.p)
    };
    Err(Refusal::NotFinite { what, row: row() })
}

/// Compares with what it gave where it was made; the greatest difference, of the score itself.
fn reproduces(model: &mut Model, golden: &Golden) -> Result<f32, Refusal> {
    let rows: Vec<[f32; FEATURES]> = golden
        .features
        .iter()
        .filter_map(|row| row.as_slice().try_into().ok())
        .collect();
    let (mut worst, mut refused) = (0.0_f32, None);
    #[expect(clippy::cast_possible_truncation, reason = "p-values are f32")]
    let step = model.about().p_floor as f32;
    let run = model.score(&rows, |number, score| {
        let name = || format!("golden row {}", number + 1);
        let (wanted, p) = (golden.score[number], golden.p[number]);
        let off = (score.score - wanted).abs() / wanted.abs().max(f32::MIN_POSITIVE);
        let off = if score.score.to_bits() == wanted.to_bits() {
            0.0
        } else {
            off
        };
        // A score that is off by less than the tolerance may fall on the other side of one calibration row.
        let p_off = (score.p - p).abs();
        let checked = sound(&score, name).and_then(|()| {
            if off <= TOLERANCE && p_off <= step + TOLERANCE * p {
                return Ok(());
            }
            Err(Refusal::Golden(format!(
                "{} has the score {} and the p-value {} instead of {wanted} and {p}",
                name(),
                score.score,
                score.p
            )))
        });
        worst = worst.max(off);
        if refused.is_none() {
            refused = checked.err();
        }
    });
    run.map_err(|error| Refusal::Run(error.to_string()))?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    // They are flows of those that it was calibrated with, and a few extreme ones.
    if golden.p.iter().all(|p| *p <= STRANGE) {
        return Err(Refusal::Rate(format!(
            "it calls each of its golden rows strange (a p-value of {STRANGE} or less): it is not calibrated"
        )));
    }
    Ok(worst)
}

/// Scores rows that its maker has not chosen; how many.
fn probe(model: &mut Model) -> Result<usize, Refusal> {
    let (probes, mut refused) = (probes(), None);
    let run = model.score(&probes, |number, score| {
        if refused.is_none() {
            refused = sound(&score, || format!("made-up row {}", number + 1)).err();
        }
    });
    run.map_err(|error| Refusal::Run(error.to_string()))?;
    refused.map_or(Ok(probes.len()), Err)
}

/// Scores what was recorded; in words what was found.
fn recorded(model: &mut Model, rows: &[Row]) -> Result<String, Refusal> {
    let (mut strange, mut refused) = (0_usize, None);
    for batch in rows.chunks(BATCH) {
        let values = batch.iter().map(|row| &row.values);
        let run = model.score(values, |number, score| {
            let name = || {
                let row = &batch[number];
                format!("a recorded flow of {} to {}", row.client.ip(), row.server)
            };
            strange += usize::from(score.p <= STRANGE);
            if refused.is_none() {
                refused = sound(&score, name).err();
            }
        });
        run.map_err(|error| Refusal::Run(error.to_string()))?;
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    let count = rows.len();
    if count < RECORDED_MIN {
        return Ok(format!(
            "not compared: {count} were recorded, and {RECORDED_MIN} are needed to say how many it finds strange"
        ));
    }
    let rate = share(strange, count);
    let own = model.about().recorded_rate;
    let most = (own.max(RATE_MIN) * RATE_TIMES).min(RATE_MAX);
    let words = format!(
        "{:.2} % of {count} have a p-value of {STRANGE} or less; {:.2} % of its calibration rows had",
        rate * 100.0,
        own * 100.0
    );
    if rate > most {
        return Err(Refusal::Rate(format!(
            "it does not fit this site: {words}, and {:.2} % are allowed; train it on this site's flows",
            most * 100.0
        )));
    }
    Ok(words)
}

/// A part of a whole that is not 0.
#[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
