//! Whether a model is worse than the one in use: on what people said of alerts, and on the site's latest flows.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BATCH, Model, Row, RunError, STRANGE};

/// Beyond so many standard deviations a share is higher, and not by chance.
const DEVIATIONS: f64 = 3.0;

/// What both models are asked about.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// The flows of each alert that was labelled malicious, with its number.
    pub malicious: Vec<(u64, Vec<Row>)>,
    /// The flows of each that was labelled benign.
    pub benign: Vec<(u64, Vec<Row>)>,
    /// Flows that the new model did not learn from.
    pub latest: Vec<Row>,
}

/// Something that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What, in words.
    pub what: String,
    /// Of how many.
    pub of: u64,
    /// How many the model in use calls strange.
    pub old: u64,
    /// How many the new one does.
    pub new: u64,
    /// Why the new one is worse here; none if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worse: Option<String>,
}

/// Old against new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Each question.
    pub compared: Vec<Compared>,
}

impl Comparison {
    /// The new model is worse in some way.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.compared.iter().any(|one| one.worse.is_some())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worse = self.compared.iter().filter_map(|one| one.worse.as_deref());
        f.write_str(&worse.collect::<Vec<_>>().join("; "))
    }
}

/// Asks both models.
///
/// # Errors
/// [`RunError`] when one of them gives no scores.
pub fn compare(old: &mut Model, new: &mut Model, trial: &Trial) -> Result<Comparison, RunError> {
    Ok(Comparison {
        compared: vec![
            malicious(old, new, &trial.malicious)?,
            benign(old, new, &trial.benign)?,
            latest(old, new, &trial.latest)?,
        ],
    })
}

/// Each that the old one sees, the new one has to see.
fn malicious(
    old: &mut Model,
    new: &mut Model,
    cases: &[(u64, Vec<Row>)],
) -> Result<Compared, RunError> {
    let mut missed = Vec::new();
    let (mut by_old, mut by_new) = (0, 0);
    for (alert, rows) in cases {
        let (before, after) = (strange(old, rows)? > 0, strange(new, rows)? > 0);
        by_old += u64::from(before);
        by_new += u64::from(after);
        if before && !after {
            missed.push(alert.to_string());
        }
    }
    let worse = (!missed.is_empty()).then(|| {
        format!(
            "no flow of the attacks of alerts {} is strange any more",
            missed.join(", ")
        )
    });
    Ok(Compared {
        what: "malicious cases with a strange flow".to_owned(),
        of: cases.len() as u64,
        old: by_old,
        new: by_new,
        worse,
    })
}

/// None may be stranger: they were part of the calibration.
fn benign(
    old: &mut Model,
    new: &mut Model,
    cases: &[(u64, Vec<Row>)],
) -> Result<Compared, RunError> {
    let rows: Vec<Row> = cases.iter().flat_map(|(_, rows)| rows.clone()).collect();
    let (before, after) = (strange(old, &rows)?, strange(new, &rows)?);
    let worse = (after > before)
        .then(|| format!("{after} flows of benign cases are strange instead of {before}"));
    Ok(Compared {
        what: "strange flows of benign cases".to_owned(),
        of: rows.len() as u64,
        old: before,
        new: after,
        worse,
    })
}

/// No more than the old one calls strange, or than chance allows where the model is calibrated.
fn latest(old: &mut Model, new: &mut Model, rows: &[Row]) -> Result<Compared, RunError> {
    let (before, after) = (strange(old, rows)?, strange(new, rows)?);
    let allowed = allowed(rows.len() as u64).max(before);
    let worse = (after > allowed).then(|| {
        format!("{after} of the latest flows are strange; {allowed} are allowed, {before} were by the model in use")
    });
    Ok(Compared {
        what: "strange flows of the latest".to_owned(),
        of: rows.len() as u64,
        old: before,
        new: after,
        worse,
    })
}

/// Strange flows of so many ordinary ones: their expected number and three standard deviations (binomial).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most some ten thousand flows"
)]
fn allowed(flows: u64) -> u64 {
    let (flows, share) = (flows as f64, f64::from(STRANGE));
    let deviation = (flows * share * (1.0 - share)).sqrt();
    (flows * share + DEVIATIONS * deviation).ceil() as u64
}

fn strange(model: &mut Model, rows: &[Row]) -> Result<u64, RunError> {
    // The least that it can say, where few rows calibrated it.
    let limit = f64::from(STRANGE).max(model.about().p_floor);
    let mut strange = 0;
    for batch in rows.chunks(BATCH) {
        model.score(batch.iter().map(|row| &row.values), |_, score| {
            strange += u64::from(f64::from(score.p) <= limit);
        })?;
    }
    Ok(strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_allows_what_it_brings() {
        assert_eq!(allowed(0), 0);
        assert_eq!(allowed(1_000), 4);
        assert_eq!(allowed(100_000), 130);
    }
}
