//! A model that can be asked.

use std::fmt;

use ort::{
    session::Session,
    value::{TensorElementType, TensorRef, ValueType},
};

use super::{About, FEATURES, Refusal};

/// A p-value up to which a flow counts as strange.
pub(crate) const STRANGE: f32 = 0.001;
/// Most rows that are scored at once.
pub const BATCH: usize = 1_024;

/// The input's name, and the outputs'.
const INPUT: &str = "features";
const OUTPUTS: [&str; 3] = ["score", "p", "contrib"];

/// Why a batch was not scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model gave no scores: {0}")]
pub struct RunError(String);

impl RunError {
    pub(super) const fn new(why: String) -> Self {
        Self(why)
    }
}

impl From<ort::Error> for RunError {
    fn from(error: ort::Error) -> Self {
        Self(error.to_string())
    }
}

/// What the model says of a row.
#[derive(Clone, Copy, Debug)]
pub struct Score<'a> {
    /// How strange it is; only comparable within one model.
    pub score: f32,
    /// Share of the calibration rows that are as strange or stranger, above 0 and up to 1.
    pub p: f32,
    /// What each feature has in the score, not negative.
    pub contrib: &'a [f32],
}

impl Score<'_> {
    /// All of it is as it has to be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.score.is_finite()
            && self.p > 0.0
            && self.p <= 1.0
            && self
                .contrib
                .iter()
                .all(|one| one.is_finite() && *one >= 0.0)
    }
}

/// A model that passed the gate.
pub struct Model {
    session: Session,
    about: About,
    input: Vec<f32>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// A session, if its input and outputs are as they have to be.
    pub(super) fn new(session: Session, about: About) -> Result<Self, Refusal> {
        ends(&session).map_err(Refusal::Ends)?;
        Ok(Self {
            session,
            about,
            input: Vec::new(),
        })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Scores rows, of which there should be at most [`BATCH`]; `on` is given each row's number and what the model says
    /// of it.
    ///
    /// # Errors
    /// [`RunError`]; `on` may have been given nothing.
    pub fn score<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r [f32; FEATURES]>,
        mut on: impl FnMut(usize, Score<'_>),
    ) -> Result<(), RunError> {
        self.input.clear();
        for row in rows {
            self.input.extend_from_slice(row);
        }
        let count = self.input.len() / FEATURES;
        if count == 0 {
            return Ok(());
        }
        let input = TensorRef::from_array_view(([count, FEATURES], self.input.as_slice()))?;
        let outputs = self.session.run(ort::inputs![INPUT => input])?;
        let output = |name: &str, length: usize| {
            let value = outputs
                .get(name)
                .ok_or_else(|| RunError(format!("there is no output {name:?}")))?;
            let (_, values) = value.try_extract_tensor::<f32>()?;
            if values.len() == length {
                Ok(values)
            } else {
                Err(RunError(format!(
                    "output {name:?} has {} values for {count} rows",
                    values.len()
                )))
            }
        };
        let [score, p, contrib] = OUTPUTS;
        let (score, p) = (output(score, count)?, output(p, count)?);
        let contrib = output(contrib, count * FEATURES)?;
        let each = score.iter().zip(p).zip(contrib.chunks_exact(FEATURES));
        for (number, ((score, p), contrib)) in each.enumerate() {
            on(
                number,
                Score {
                    score: *score,
                    p: *p,
                    contrib,
                },
            );
        }
        Ok(())
    }
}

/// What is wrong with a session's ends.
fn ends(session: &Session) -> Result<(), String> {
    let [input] = session.inputs() else {
        let names: Vec<_> = session
            .inputs()
            .iter()
            .map(ort::value::Outlet::name)
            .collect();
        return Err(format!("inputs are {names:?} instead of [{INPUT:?}]"));
    };
    if input.name() != INPUT {
        return Err(format!("input is {:?} instead of {INPUT:?}", input.name()));
    }
    let rows = |columns: Option<usize>| {
        let columns = columns.and_then(|columns| i64::try_from(columns).ok());
        std::iter::once(-1).chain(columns).collect::<Vec<i64>>()
    };
    fits("input", INPUT, input.dtype(), &rows(Some(FEATURES)))?;
    for name in OUTPUTS {
        let Some(output) = session.outputs().iter().find(|one| one.name() == name) else {
            return Err(format!("outputs lack {name:?}"));
        };
        let columns = (name == "contrib").then_some(FEATURES);
        fits("output", name, output.dtype(), &rows(columns))?;
    }
    Ok(())
}

/// A dimension that is not said may be any.
fn fits(end: &str, name: &str, found: &ValueType, wanted: &[i64]) -> Result<(), String> {
    let fits = match found {
        ValueType::Tensor { ty, shape, .. } => {
            *ty == TensorElementType::Float32
                && shape.len() == wanted.len()
                && shape.first() == Some(&-1)
                && shape.iter().zip(wanted).all(|(a, b)| a == b || *a == -1)
        }
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        let columns = wanted
            .get(1)
            .map_or_else(String::new, |it| format!(", {it}"));
        Err(format!(
            "{end} {name:?} is {found} instead of float32 [rows{columns}]"
        ))
    }
}
