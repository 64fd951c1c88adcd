//! What a model says of itself: its metadata, checked.

use std::collections::BTreeMap;

use sensor_facts::hex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{FEATURES, NAMES, Refusal, SCHEMA};

/// Rows that a model is tried with at most.
const GOLDEN_MAX: usize = 16;

/// Rows that it was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// For training.
    pub train: u64,
    /// For calibration.
    pub calibrate: u64,
}

/// What a model says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The name of its file when it was loaded.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// When it was made, as its maker wrote it.
    pub created: String,
    /// `sklearn` or `keras`.
    pub trainer: String,
    /// Rows that it was made of.
    pub rows: Rows,
    /// Times of the rows, as its maker wrote them.
    pub window: Value,
    /// Least p-value that it can give: one over the calibration rows and one.
    pub p_floor: f64,
    /// Share of the calibration rows whose p-value was 0.001 or less.
    pub recorded_rate: f64,
    /// SHA-256 of the training rows, in hex.
    pub training_sha256: String,
    /// Versions of the libraries that made it.
    pub versions: Value,
    /// The seed of its making.
    pub seed: String,
    /// Who signed it, in words.
    pub signed: String,
}

/// Rows with what the model gave for them where it was made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Golden {
    /// The rows.
    pub features: Vec<Vec<f32>>,
    /// Their scores.
    pub score: Vec<f32>,
    /// Their p-values.
    pub p: Vec<f32>,
}

pub(super) type Metadata = BTreeMap<String, String>;

/// An entry of the metadata.
///
/// # Errors
/// When it is missing.
pub(super) fn get<'a>(metadata: &'a Metadata, key: &'static str) -> Result<&'a str, Refusal> {
    metadata
        .get(key)
        .map(String::as_str)
        .ok_or_else(|| wrong(key, "is missing"))
}

/// The refusal of an entry.
pub(super) fn wrong(key: &'static str, what: impl Into<String>) -> Refusal {
    Refusal::Metadata {
        key,
        what: what.into(),
    }
}

/// An entry that is JSON.
///
/// # Errors
/// When it is missing or of another shape.
pub(super) fn json<T: DeserializeOwned>(
    metadata: &Metadata,
    key: &'static str,
) -> Result<T, Refusal> {
    serde_json::from_str(get(metadata, key)?).map_err(|error| wrong(key, error.to_string()))
}

/// A number above `above` and up to 1.
fn share(metadata: &Metadata, key: &'static str, above: f64) -> Result<f64, Refusal> {
    let text = get(metadata, key)?;
    text.trim()
        .parse()
        .ok()
        .filter(|number| *number > above && *number <= 1.0)
        .ok_or_else(|| wrong(key, format!("{text:?} is no share")))
}

/// How a model's columns differ from the sensor's own, if they do.
pub(super) fn difference(theirs: &[&str], own: &[&str]) -> Option<String> {
    let differs = theirs.iter().zip(own).position(|(a, b)| a != b);
    match differs {
        Some(at) => Some(format!(
            "number {} is {:?} instead of {:?}",
            at + 1,
            theirs[at],
            own[at]
        )),
        None if theirs.len() == own.len() => None,
        None => Some(format!("it has {} instead of {}", theirs.len(), own.len())),
    }
}

/// Holds schema and features to the sensor's own.
///
/// # Errors
/// [`Refusal`] of the checks `schema`, `features` and `metadata`.
pub(super) fn fits(metadata: &Metadata) -> Result<(), Refusal> {
    let schema = get(metadata, "wardtap.schema")?;
    if schema != SCHEMA {
        return Err(Refusal::Schema {
            found: schema.to_owned(),
        });
    }
    let features = get(metadata, "wardtap.features")?;
    let theirs: Vec<&str> = features.split(',').collect();
    if let Some(what) = difference(&theirs, &NAMES) {
        return Err(Refusal::Features(what));
    }
    let hash = hex::encode(&Sha256::digest(features));
    let named = get(metadata, "wardtap.features_sha256")?;
    if !named.eq_ignore_ascii_case(&hash) {
        return Err(Refusal::Features(format!(
            "their hash is {hash}, and it says {named}"
        )));
    }
    Ok(())
}

/// The rest of the metadata; `about` has what is known from elsewhere.
///
/// # Errors
/// [`Refusal::Metadata`].
pub(super) fn read(metadata: &Metadata, about: About) -> Result<(About, Golden), Refusal> {
    const GOLDEN: &str = "wardtap.golden";
    let golden: Golden = json(metadata, GOLDEN)?;
    let rows = golden.features.len();
    if rows == 0 || rows > GOLDEN_MAX {
        return Err(wrong(
            GOLDEN,
            format!("{rows} rows, and not 1 to {GOLDEN_MAX}"),
        ));
    }
    if golden.score.len() != rows || golden.p.len() != rows {
        return Err(wrong(GOLDEN, "not as many scores or p-values as rows"));
    }
    if golden.features.iter().any(|row| row.len() != FEATURES) {
        return Err(wrong(GOLDEN, format!("a row has not {FEATURES} features")));
    }
    let text = |key| metadata.get(key).cloned().unwrap_or_default();
    let about = About {
        trainer: get(metadata, "wardtap.trainer")?.to_owned(),
        rows: json(metadata, "wardtap.rows")?,
        window: json(metadata, "wardtap.window")?,
        p_floor: share(metadata, "wardtap.p_floor", 0.0)?,
        recorded_rate: share(metadata, "wardtap.recorded_rate", -f64::MIN_POSITIVE)?,
        training_sha256: get(metadata, "wardtap.training_sha256")?.to_owned(),
        versions: json(metadata, "wardtap.versions")?,
        seed: text("wardtap.seed"),
        ..about
    };
    Ok((about, golden))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let features = NAMES.join(",");
        let golden =
            serde_json::json!({"features": [vec![0.0; FEATURES]], "score": [1.0], "p": [0.5]});
        [
            ("wardtap.schema", SCHEMA.to_owned()),
            (
                "wardtap.features_sha256",
                hex::encode(&Sha256::digest(&features)),
            ),
            ("wardtap.features", features),
            ("wardtap.trainer", "sklearn".to_owned()),
            ("wardtap.training_sha256", "00".to_owned()),
            ("wardtap.rows", r#"{"train":10,"calibrate":9}"#.to_owned()),
            ("wardtap.window", "{}".to_owned()),
            ("wardtap.p_floor", "0.1".to_owned()),
            ("wardtap.recorded_rate", "0.0".to_owned()),
            ("wardtap.golden", golden.to_string()),
            ("wardtap.versions", "{}".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    fn refused(change: impl Fn(&mut Metadata)) -> String {
        let mut metadata = metadata();
        change(&mut metadata);
        let read = fits(&metadata).and_then(|()| read(&metadata, About::default()));
        read.expect_err("it is wrong").to_string()
    }

    #[test]
    fn whole_metadata_are_read() {
        let metadata = metadata();
        fits(&metadata).expect("they fit");
        let (about, golden) = read(&metadata, About::default()).expect("they are whole");
        assert_eq!((about.rows.train, about.rows.calibrate), (10, 9));
        assert_eq!(golden.p, [0.5]);
    }

    #[test]
    fn each_thing_that_is_missing_or_wrong_is_named() {
        for key in metadata().keys() {
            let said = refused(|metadata| {
                metadata.remove(key);
            });
            assert!(said.contains(key.as_str()), "{key}: {said}");
        }
        let set = |key: &'static str, value: &'static str| {
            refused(move |metadata| {
                metadata.insert(key.to_owned(), value.to_owned());
            })
        };
        assert!(set("wardtap.schema", "flow-v9").contains("flow-v9"));
        assert!(set("wardtap.features", "a,b").contains("number 1 is \"a\""));
        assert!(set("wardtap.features_sha256", "00").contains("hash"));
        assert!(set("wardtap.p_floor", "0").contains("wardtap.p_floor"));
        assert!(set("wardtap.p_floor", "nan").contains("wardtap.p_floor"));
        let nan = r#"{"features":[[NaN]],"score":[NaN],"p":[1]}"#;
        assert!(set("wardtap.golden", nan).contains("wardtap.golden"));
        let short = r#"{"features":[[1]],"score":[1],"p":[1]}"#;
        assert!(set("wardtap.golden", short).contains("46"));
    }
}
