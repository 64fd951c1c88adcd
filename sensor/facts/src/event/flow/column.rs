//! What the store keeps of a flow: columns, and their values.

use std::borrow::Cow;

use crate::time::Time;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A moment.
    Time,
    /// An integer below 2^63.
    Long,
    /// An integer below 2^31.
    Int,
    /// Yes or no.
    Flag,
    /// A text.
    Text,
}

/// What a column's value is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The flow has one value.
    Flow,
    /// Each direction has a column.
    EachDirection,
    /// The values of both directions are added.
    BothDirections,
}

/// A column made from a field of `T`.
#[derive(Clone, Copy, Debug)]
pub struct Column<T: 'static> {
    /// Its name; of a column for each direction the part before `_to_server` and `_to_client`.
    pub name: &'static str,
    /// Whether it is of the flow, of each direction, or the sum of both.
    pub over: Over,
    /// What it holds.
    pub kind: Kind,
    /// It can be empty.
    pub optional: bool,
    /// What the value means, with its unit.
    pub help: &'static str,
    /// Reads its value.
    pub read: fn(&T) -> Value<'_>,
}

/// A value for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// The field is empty.
    None,
    /// A moment.
    Time(Time),
    /// An integer, or yes (1) or no (0).
    Number(i64),
    /// A text that is there.
    Text(&'a str),
    /// A text made for the column.
    Owned(String),
}

/// The type of a flow's field: whether it is left out of events, and how the store keeps it.
pub trait Field {
    /// What its column holds.
    const KIND: Kind;
    /// Its column can be empty.
    const OPTIONAL: bool = false;

    /// Nothing is known, so that an optional field is left out.
    fn is_empty(&self) -> bool {
        false
    }

    /// Its value in the column.
    fn stored(&self) -> Value<'_>;
}

macro_rules! numbers {
    ($($number:ty: $kind:ident)*) => {
        $(impl Field for $number {
            const KIND: Kind = Kind::$kind;

            fn stored(&self) -> Value<'_> {
                Value::Number((*self).into())
            }
        })*
    };
}

numbers!(u8: Int u16: Int u32: Long bool: Flag);

impl Field for u64 {
    const KIND: Kind = Kind::Long;

    fn stored(&self) -> Value<'_> {
        Value::Number(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Field for Time {
    const KIND: Kind = Kind::Time;

    fn stored(&self) -> Value<'_> {
        Value::Time(*self)
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;

    fn stored(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for Cow<'static, str> {
    const KIND: Kind = Kind::Text;

    fn stored(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    #[inline]
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn stored(&self) -> Value<'_> {
        self.as_ref().map_or(Value::None, T::stored)
    }
}

impl<T: ToString> Field for Vec<T> {
    const KIND: Kind = Kind::Text;
    const OPTIONAL: bool = true;

    #[inline]
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    /// The values with commas between them.
    fn stored(&self) -> Value<'_> {
        if self.is_empty() {
            return Value::None;
        }
        let values: Vec<_> = self.iter().map(T::to_string).collect();
        Value::Owned(values.join(","))
    }
}
