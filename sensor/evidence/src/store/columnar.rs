//! Rows of flows as a Parquet file: Snappy, times in UTC, one row group for each part.

use std::{fs::File, path::Path, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};
use rusqlite::{Row, types::ValueRef};
use sensor_facts::event::flow::column::Kind;

use super::flow::{COLUMNS, Column};

/// A file that is being written.
pub(super) struct Writer(SerializedFileWriter<File>);

impl Writer {
    pub(super) fn new(file: File) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("wardtap {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = SerializedFileWriter::new(file, schema()?, Arc::new(properties))?;
        Ok(Self(writer))
    }

    /// Writes a row group.
    pub(super) fn write(&mut self, part: &Part) -> Result<()> {
        let mut group = self.0.next_row_group()?;
        for values in &part.0 {
            let mut column = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
            values.write(&mut column)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the end; the file is to be synchronised with the disk.
    pub(super) fn finish(self) -> Result<File> {
        self.0.into_inner()
    }
}

/// Rows that a file has.
pub(super) fn rows(path: &Path) -> Result<i64> {
    let file = File::open(path)?;
    let reader = SerializedFileReader::new(file)?;
    Ok(reader.metadata().file_metadata().num_rows())
}

fn schema() -> Result<TypePtr> {
    let fields = COLUMNS
        .iter()
        .map(|column| {
            let (physical, logical) = match column.kind {
                Kind::Time => (
                    Physical::INT64,
                    Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
                ),
                Kind::Long => (Physical::INT64, None),
                Kind::Int => (Physical::INT32, None),
                Kind::Flag => (Physical::BOOLEAN, None),
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let repetition = if column.optional {
                Repetition::OPTIONAL
            } else {
                Repetition::REQUIRED
            };
            Type::primitive_type_builder(&column.name, physical)
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        })
        .collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("flow").with_fields(fields);
    Ok(Arc::new(schema.build()?))
}

/// Rows by their columns.
pub(super) struct Part(Vec<Values>);

impl Part {
    pub(super) fn new() -> Self {
        Self(COLUMNS.iter().map(Values::new).collect())
    }

    /// Takes a row whose first columns are those of [`COLUMNS`].
    pub(super) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        for (index, values) in self.0.iter_mut().enumerate() {
            values.push(row.get_ref(index)?);
        }
        Ok(())
    }
}

/// The values of a column, and of an optional one which rows have any.
struct Values {
    typed: Typed,
    present: Option<Vec<i16>>,
}

enum Typed {
    Long(Vec<i64>),
    Int(Vec<i32>),
    Flag(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl Values {
    fn new(column: &Column) -> Self {
        Self {
            typed: match column.kind {
                Kind::Time | Kind::Long => Typed::Long(Vec::new()),
                Kind::Int => Typed::Int(Vec::new()),
                Kind::Flag => Typed::Flag(Vec::new()),
                Kind::Text => Typed::Text(Vec::new()),
            },
            present: column.optional.then(Vec::new),
        }
    }

    fn push(&mut self, value: ValueRef<'_>) {
        if let Some(present) = &mut self.present {
            let none = value == ValueRef::Null;
            present.push((!none).into());
            if none {
                return;
            }
        }
        let number = value.as_i64().unwrap_or_default();
        match &mut self.typed {
            Typed::Long(values) => values.push(number),
            Typed::Int(values) => values.push(i32::try_from(number).unwrap_or(i32::MAX)),
            Typed::Flag(values) => values.push(number != 0),
            Typed::Text(values) => values.push(value.as_bytes().unwrap_or_default().into()),
        }
    }

    fn write(&self, to: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let present = self.present.as_deref();
        match &self.typed {
            Typed::Long(values) => to.typed::<Int64Type>().write_batch(values, present, None)?,
            Typed::Int(values) => to.typed::<Int32Type>().write_batch(values, present, None)?,
            Typed::Flag(values) => to.typed::<BoolType>().write_batch(values, present, None)?,
            Typed::Text(values) => to
                .typed::<ByteArrayType>()
                .write_batch(values, present, None)?,
        };
        Ok(())
    }
}
