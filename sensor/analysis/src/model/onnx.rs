//! What an ONNX file says of itself, read without the runtime (onnx.proto of ONNX 1.17): metadata, domains of its
//! operators, and whether parts of it lie in other files.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::Refusal;

/// Graphs within graphs, at most.
const DEPTH: u32 = 16;

/// Why a file is no ONNX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OnnxError {
    /// It ends where it should not.
    #[error(
        "it is cut or damaged: a field of {bytes} bytes does not fit in what is left of the part around it"
    )]
    Cut {
        /// What the field should have.
        bytes: u64,
    },
    /// It is no protocol buffers message, or one of another kind.
    #[error("it is no ONNX file: {0}")]
    Shape(&'static str),
}

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// The domains of its operators; the default one is `ai.onnx`.
    pub domains: BTreeSet<String>,
    /// The name of a tensor whose data lies in another file.
    pub external: Option<String>,
    /// Nodes of its graphs.
    pub nodes: usize,
}

/// Reads a file.
///
/// # Errors
/// [`OnnxError`].
pub(super) fn read(bytes: &[u8]) -> Result<Outline, OnnxError> {
    let mut outline = Outline::default();
    let mut graphs = 0;
    for field in Fields(bytes) {
        match field? {
            (7, Value::Bytes(graph)) => {
                graphs += 1;
                outline.graph(graph, DEPTH)?;
            }
            (8, Value::Bytes(import)) => outline.domain(text(import, 1)?),
            (14, Value::Bytes(entry)) => {
                let (key, value) = (text(entry, 1)?, text(entry, 2)?);
                outline
                    .metadata
                    .insert(key.unwrap_or_default(), value.unwrap_or_default());
            }
            (25, Value::Bytes(function)) => outline.nodes_of(function, 7, DEPTH)?,
            _ => {}
        }
    }
    if graphs != 1 {
        return Err(OnnxError::Shape("it has no graph"));
    }
    Ok(outline)
}

impl Outline {
    /// Says whether all of the model is in the file.
    ///
    /// # Errors
    /// [`Refusal::External`].
    pub(super) fn is_whole(&self) -> Result<(), Refusal> {
        let external = self.external.clone();
        external.map_or(Ok(()), |tensor| Err(Refusal::External(tensor)))
    }

    /// Says whether all of its operators are of these domains.
    ///
    /// # Errors
    /// [`Refusal::Operators`].
    pub(super) fn uses_only(&self, domains: &[&str]) -> Result<(), Refusal> {
        let mut used = self.domains.iter();
        let foreign = used.find(|name| !domains.contains(&name.as_str()));
        foreign.map_or(Ok(()), |name| Err(Refusal::Operators(name.clone())))
    }

    fn domain(&mut self, name: Option<String>) {
        let name = name.filter(|name| !name.is_empty());
        self.domains
            .insert(name.unwrap_or_else(|| "ai.onnx".to_owned()));
    }

    /// `GraphProto`.
    fn graph(&mut self, graph: &[u8], depth: u32) -> Result<(), OnnxError> {
        self.nodes_of(graph, 1, depth)?;
        for field in Fields(graph) {
            match field? {
                (5, Value::Bytes(tensor)) => self.tensor(tensor)?,
                (15, Value::Bytes(sparse)) => self.sparse(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The nodes (`NodeProto`) that are the field `number` of a graph or function.
    fn nodes_of(&mut self, parent: &[u8], number: u32, depth: u32) -> Result<(), OnnxError> {
        let depth = depth
            .checked_sub(1)
            .ok_or(OnnxError::Shape("its graphs are nested too deeply"))?;
        for field in Fields(parent) {
            let (at, Value::Bytes(node)) = field? else {
                continue;
            };
            if at != number {
                continue;
            }
            self.nodes += 1;
            self.domain(text(node, 7)?);
            for field in Fields(node) {
                if let (5, Value::Bytes(attribute)) = field? {
                    self.attribute(attribute, depth)?;
                }
            }
        }
        Ok(())
    }

    /// `AttributeProto`.
    fn attribute(&mut self, attribute: &[u8], depth: u32) -> Result<(), OnnxError> {
        for field in Fields(attribute) {
            match field? {
                (5 | 10, Value::Bytes(tensor)) => self.tensor(tensor)?,
                (6 | 11, Value::Bytes(graph)) => self.graph(graph, depth)?,
                (22 | 23, Value::Bytes(sparse)) => self.sparse(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `SparseTensorProto`.
    fn sparse(&mut self, sparse: &[u8]) -> Result<(), OnnxError> {
        for field in Fields(sparse) {
            if let (1 | 2, Value::Bytes(tensor)) = field? {
                self.tensor(tensor)?;
            }
        }
        Ok(())
    }

    /// `TensorProto`: `external_data`, or `data_location` other than 0.
    fn tensor(&mut self, tensor: &[u8]) -> Result<(), OnnxError> {
        for field in Fields(tensor) {
            if matches!(field?, (13, Value::Bytes(_)) | (14, Value::Number(1..))) {
                self.external = Some(text(tensor, 8)?.unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// The text that is the field `number` of a message, if there is.
fn text(message: &[u8], number: u32) -> Result<Option<String>, OnnxError> {
    let mut found = None;
    for field in Fields(message) {
        if let (at, Value::Bytes(bytes)) = field?
            && at == number
        {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| OnnxError::Shape("a text in it is not UTF-8"))?;
            found = Some(text.to_owned());
        }
    }
    Ok(found)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Result<u64, OnnxError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(OnnxError::Shape("a number in it has too many bytes"))
    }

    fn take(&mut self, bytes: u64) -> Result<&'a [u8], OnnxError> {
        let split = usize::try_from(bytes)
            .ok()
            .and_then(|at| self.0.split_at_checked(at));
        let (taken, rest) = split.ok_or(OnnxError::Cut { bytes })?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), OnnxError> {
        let tag = self.number()?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|number| *number != 0)
            .ok_or(OnnxError::Shape("a field in it has no number"))?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let bytes = self.number()?;
                Value::Bytes(self.take(bytes)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(OnnxError::Shape("a field in it is of no known type")),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), OnnxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            // Nothing after it means anything.
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("it is short");
        [&[number << 3 | 2, length], content].concat()
    }

    fn model(tensor: &[u8]) -> Vec<u8> {
        let node = field(5, &field(5, tensor));
        let entry = [field(1, b"wardtap.schema"), field(2, b"flow-v1")].concat();
        [
            field(7, &field(1, &node)),
            field(8, &field(1, b"ai.onnx.ml")),
            field(14, &entry),
        ]
        .concat()
    }

    #[test]
    fn an_outline_says_what_is_in_the_file() {
        let outline = read(&model(&field(8, b"weights"))).expect("a model");
        assert_eq!(outline.metadata["wardtap.schema"], "flow-v1");
        assert_eq!(outline.nodes, 1);
        assert_eq!(
            outline.domains.iter().collect::<Vec<_>>(),
            ["ai.onnx", "ai.onnx.ml"]
        );
        assert_eq!(outline.external, None);
    }

    #[test]
    fn external_data_is_found_wherever_it_is() {
        let location = [14 << 3, 1];
        let tensor = [field(8, b"weights"), location.to_vec()].concat();
        let named = Some("weights".to_owned());
        assert_eq!(read(&model(&tensor)).expect("a model").external, named);
        // As an initializer of a graph within a node's attribute.
        let inner = field(5, &field(6, &field(5, &tensor)));
        let outer = field(7, &field(1, &inner));
        assert_eq!(read(&outer).expect("a model").external, named);
    }

    #[test]
    fn every_cut_is_refused_or_leaves_a_whole_prefix() {
        let whole = model(&field(8, b"weights"));
        let outline = read(&whole).expect("a model");
        for end in 0..whole.len() {
            assert_ne!(read(&whole[..end]), Ok(outline.clone()), "{end}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = read(&bytes);
        }
    }
}
