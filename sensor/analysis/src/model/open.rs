//! Opening a model's file.

use std::path::Path;

use super::{
    Key, ModelFile, Refusal, Runtime,
    gate::{Gate, examine},
    graph::Model,
};

impl Model {
    /// Opens `NAME.onnx` with `NAME.manifest.json` beside it, through the whole [gate](super::gate) but for recorded
    /// flows; any signature, or none.
    ///
    /// ```no_run
    /// use std::path::Path;
    ///
    /// use sensor_analysis::{
    ///     Analysis, AnalysisOptions,
    ///     model::{Model, Runtime, Scorer},
    /// };
    ///
    /// let runtime = Runtime::load(Some(Path::new("target/onnxruntime/libonnxruntime.so")))?;
    /// let model = Model::open(&runtime, Path::new("models/flow-v1.onnx"))?;
    /// let mut analysis = Analysis::new(AnalysisOptions::default());
    /// // From now on the rows of observed flows are scored, in batches, in the observations' order.
    /// analysis.set_scorer(Scorer::inline(model));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Refusal`], with the reason.
    pub fn open(runtime: &Runtime, path: &Path) -> Result<Self, Refusal> {
        Self::open_trusting(runtime, path, &[])
    }

    /// The same, signed with one of these keys, if there are any.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_trusting(runtime: &Runtime, path: &Path, trusted: &[Key]) -> Result<Self, Refusal> {
        let gate = Gate {
            trusted,
            recorded: &[],
        };
        examine(&ModelFile::read(path)?, runtime, &gate).result
    }
}
