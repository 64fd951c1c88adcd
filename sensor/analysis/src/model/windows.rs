//! The model that says how unusual five minutes of a device are.
//!
//! It learned what surprises of ordinary windows come together at other hospitals. Its input is the vector of
//! [surprises](crate::behaviour) of each window, which means the same at every site; its outputs are a score and what each
//! measure has in it.

use std::{fmt, path::Path};

use ort::{session::Session, value::TensorRef};

use super::{
    About, Key, ModelFile, Refusal, RunError, Runtime,
    about::{self, Metadata, get, json, wrong},
    manifest::Manifest,
    onnx,
};
use crate::behaviour::{Counts, Judged, MEASURES, Measure, Needed, Prior};

/// The name of its input vector.
pub(super) const SCHEMA: &str = "windows-v1";
/// Where the package puts the shipped one.
pub const SHIPPED_WINDOWS: &str = "/usr/lib/wardtap/models/windows-v1.onnx";
/// How far a golden score may be off, of itself.
const TOLERANCE: f32 = 1e-4;
/// Windows that are scored at once.
const BATCH: usize = 1_024;

/// See the module's description.
pub struct WindowModel {
    session: Session,
    about: About,
    needed: Needed,
    prior: Option<Prior>,
}

impl fmt::Debug for WindowModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowModel")
            .field("name", &self.about.name)
            .finish_non_exhaustive()
    }
}

/// What the model gave for some windows where it was made.
#[derive(serde::Deserialize)]
struct Golden {
    surprises: Vec<Vec<f32>>,
    score: Vec<f32>,
}

impl WindowModel {
    /// Opens `NAME.onnx` with `NAME.manifest.json` beside it: hash, signature by one of the keys (if there are any),
    /// operators, measures in their order, and golden windows are checked.
    ///
    /// # Errors
    /// [`Refusal`], with the reason.
    pub fn open(runtime: &Runtime, path: &Path, trusted: &[Key]) -> Result<Self, Refusal> {
        Self::of(runtime, &ModelFile::read(path)?, trusted)
    }

    /// The same with what was read.
    ///
    /// # Errors
    /// [`Refusal`], with the reason.
    pub fn of(runtime: &Runtime, file: &ModelFile, trusted: &[Key]) -> Result<Self, Refusal> {
        let manifest = Manifest::of_schema(file, SCHEMA)?;
        let signed = manifest.signed(file, trusted)?;
        let outline = onnx::read(&file.graph)?;
        outline.is_whole()?;
        outline.uses_only(&["ai.onnx"])?;
        fits(&outline.metadata)?;
        let golden: Golden = json(&outline.metadata, "wardtap.golden")?;
        let thresholds: Vec<(f64, f64)> = json(&outline.metadata, "wardtap.thresholds")?;
        let needed = Needed::of(thresholds).ok_or_else(|| {
            let what =
                "budgets and scores have to be above nought, and more budget needs less score";
            wrong("wardtap.thresholds", what)
        })?;
        let prior = prior(&outline.metadata)?;
        let session = runtime
            .session(&file.graph)
            .map_err(|error| Refusal::Graph(error.to_string()))?;
        let mut model = Self {
            session,
            about: About {
                name: file.name.clone(),
                sha256: file.sha256(),
                created: manifest.created,
                trainer: manifest.trainer,
                signed,
                ..About::default()
            },
            needed,
            prior,
        };
        model.reproduces(&golden)?;
        Ok(model)
    }

    /// SHA-256 of the file, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.about.sha256
    }

    /// What it says of itself.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// The scores that other hospitals needed for a budget.
    #[must_use]
    pub const fn needed(&self) -> &Needed {
        &self.needed
    }

    /// What windows of the first day were like at the hospitals that it learned at, if it says so.
    #[must_use]
    pub const fn prior(&self) -> Option<&Prior> {
        self.prior.as_ref()
    }

    /// Gives each window its score, and each surprise what it has in that.
    ///
    /// # Errors
    /// [`RunError`]; the windows of earlier batches have their score then.
    pub fn judge(&mut self, windows: &mut [Judged]) -> Result<(), RunError> {
        for batch in windows.chunks_mut(BATCH) {
            let rows: Vec<f32> = batch.iter().flat_map(Judged::vector).collect();
            let scored = self.run(&rows)?;
            for (window, (score, shares)) in batch.iter_mut().zip(scored) {
                window.take_score(f64::from(score), |measure| {
                    shares.get(measure as usize).copied().map_or(0.0, f64::from)
                });
            }
        }
        Ok(())
    }

    /// Score and shares of rows of surprises.
    fn run(&mut self, rows: &[f32]) -> Result<Vec<(f32, Vec<f32>)>, RunError> {
        let count = rows.chunks_exact(MEASURES).len();
        let input = TensorRef::from_array_view(([count, MEASURES], rows))?;
        let outputs = self.session.run(ort::inputs!["surprises" => input])?;
        let output = |name: &str, columns: usize| {
            let value = outputs
                .get(name)
                .ok_or_else(|| RunError::new(format!("there is no output {name:?}")))?;
            let (_, values) = value.try_extract_tensor::<f32>()?;
            let sound = values.len() == count * columns && values.iter().all(|it| it.is_finite());
            if sound {
                Ok(values.to_vec())
            } else {
                Err(RunError::new(format!(
                    "output {name:?} is not {columns} finite numbers for each of {count} windows"
                )))
            }
        };
        let (scores, shares) = (output("score", 1)?, output("contrib", MEASURES)?);
        let shares = shares.chunks_exact(MEASURES).map(<[f32]>::to_vec);
        Ok(scores.into_iter().zip(shares).collect())
    }

    /// Compares with what it gave where it was made.
    fn reproduces(&mut self, golden: &Golden) -> Result<(), Refusal> {
        let refuse = |what: String| Err(Refusal::Golden(what));
        let whole = |row: &Vec<f32>| <[f32; MEASURES]>::try_from(row.as_slice()).is_ok();
        let whole = golden.surprises.iter().all(whole);
        if golden.score.is_empty() || golden.score.len() != golden.surprises.len() || !whole {
            return refuse("they are not of its own shape".to_owned());
        }
        let rows: Vec<f32> = golden.surprises.iter().flatten().copied().collect();
        let scored = self
            .run(&rows)
            .map_err(|error| Refusal::Run(error.to_string()))?;
        for (number, ((score, _), wanted)) in scored.iter().zip(&golden.score).enumerate() {
            if (score - wanted).abs() > TOLERANCE * wanted.abs().max(1.0) {
                return refuse(format!(
                    "window {} has the score {score} instead of {wanted}",
                    number + 1
                ));
            }
        }
        Ok(())
    }
}

fn prior(metadata: &Metadata) -> Result<Option<Prior>, Refusal> {
    const KEY: &str = "wardtap.prior";
    if !metadata.contains_key(KEY) {
        return Ok(None);
    }
    let counts: Counts = json(metadata, KEY)?;
    let prior = Prior::of(&counts).ok_or_else(|| {
        let what = "a measure has more counts than there are windows, or is not of this version";
        wrong(KEY, what)
    })?;
    Ok(Some(prior))
}

/// The model must be of these measures in this order.
fn fits(metadata: &Metadata) -> Result<(), Refusal> {
    let found = get(metadata, "wardtap.schema")?;
    if found != SCHEMA {
        let what = format!("is {found:?} instead of {SCHEMA:?}");
        return Err(wrong("wardtap.schema", what));
    }
    let theirs: Vec<&str> = get(metadata, "wardtap.measures")?.split(',').collect();
    let differs = about::difference(&theirs, &Measure::ALL.map(Measure::id));
    differs.map_or(Ok(()), |what| Err(wrong("wardtap.measures", what)))
}
