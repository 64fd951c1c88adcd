//! Thresholds: declared once, in the file that uses them.

use std::{collections::BTreeMap, fmt};

use sensor_facts::setting::Span;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error},
};

/// A threshold of a detector: a key of the section `[detect]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The key.
    pub key: &'static str,
    /// What it means: lines, each ended.
    pub help: &'static str,
    /// Its value unless configured.
    pub default: Value,
    /// The least value that is accepted.
    pub least: Value,
    /// The greatest value that is accepted.
    pub most: Value,
}

/// The value of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Value {
    /// A number of things.
    Count(u32),
    /// A number of bytes.
    Bytes(u64),
    /// A time.
    Span(Span),
    /// Any other number.
    Number(f64),
}

impl Value {
    /// The unit for documentation; empty for plain numbers.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Count(_) | Self::Number(_) => "",
            Self::Bytes(_) => "bytes",
            Self::Span(_) => "time",
        }
    }
}

/// As the configuration file has it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Span(span) => write!(f, "\"{span}\""),
            Self::Number(number) => write!(f, "{number:?}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => to.serialize_u32(*count),
            Self::Bytes(bytes) => to.serialize_u64(*bytes),
            Self::Span(span) => span.serialize(to),
            Self::Number(number) => to.serialize_f64(*number),
        }
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Count(count)
    }
}

impl From<u64> for Value {
    fn from(bytes: u64) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Span> for Value {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl Threshold {
    /// Accepts a value of its kind that is in its range.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let same = std::mem::discriminant(&value) == std::mem::discriminant(&self.default);
        if same && self.least <= value && value <= self.most {
            Ok(value)
        } else {
            Err(self.range(&value))
        }
    }

    fn range(&self, value: &dyn fmt::Display) -> String {
        let unit = match self.default {
            Value::Bytes(_) => " bytes",
            _ => "",
        };
        format!("{value} is not from {} to {}{unit}", self.least, self.most)
    }
}

/// Reads a value of the threshold's kind.
impl<'de> DeserializeSeed<'de> for &Threshold {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let value = match self.default {
            Value::Count(_) => {
                let number = i64::deserialize(from)?;
                u32::try_from(number).map_or_else(|_| Err(self.range(&number)), |it| Ok(it.into()))
            }
            Value::Bytes(_) => {
                let number = i64::deserialize(from)?;
                u64::try_from(number).map_or_else(|_| Err(self.range(&number)), |it| Ok(it.into()))
            }
            Value::Span(_) => Ok(Span::deserialize(from)?.into()),
            Value::Number(_) => Ok(f64::deserialize(from)?.into()),
        };
        value
            .and_then(|it| self.check(it))
            .map_err(D::Error::custom)
    }
}

/// The configured values of thresholds; of what is not in here, the default holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Values(BTreeMap<&'static str, Value>);

impl Values {
    /// Sets a threshold.
    pub(super) fn set(&mut self, threshold: &Threshold, value: Value) {
        if value == threshold.default {
            self.0.remove(threshold.key);
        } else {
            self.0.insert(threshold.key, value);
        }
    }

    /// A threshold's value.
    pub(super) fn get(&self, threshold: &Threshold) -> Value {
        let set = self.0.get(threshold.key).copied();
        set.unwrap_or(threshold.default)
    }

    pub(super) fn count(&self, key: &str, default: u32) -> u32 {
        match self.0.get(key) {
            Some(Value::Count(count)) => *count,
            _ => default,
        }
    }

    pub(super) fn bytes(&self, key: &str, default: u64) -> u64 {
        match self.0.get(key) {
            Some(Value::Bytes(bytes)) => *bytes,
            _ => default,
        }
    }

    pub(super) fn seconds(&self, key: &str, default: u64) -> Span {
        match self.0.get(key) {
            Some(Value::Span(span)) => *span,
            _ => Span::from_secs(default),
        }
    }

    pub(super) fn number(&self, key: &str, default: f64) -> f64 {
        match self.0.get(key) {
            Some(Value::Number(number)) => *number,
            _ => default,
        }
    }
}

/// Declares the thresholds of a file, each with its help, kind, default and the range that is accepted:
///
/// ```ignore
/// thresholds! {
///     /// This many refused connections within `scan_within` count as a scan.
///     scan_targets: count = 20, 1..=1_024;
///     /// The time in which refused connections are counted.
///     scan_within: seconds = 60, 1..=86_400;
/// }
/// ```
///
/// It makes `THRESHOLDS`, for the file's `ABOUT`, and `Thresholds`, which holds the configured values. A threshold that
/// no code reads is a compiler warning. Kinds are `count` (`u32`), `bytes` (`u64`), `seconds` (a [`Span`], written as
/// `"1m"` in the configuration) and `number` (`f64`).
macro_rules! thresholds {
    (@type count) => { u32 };
    (@type bytes) => { u64 };
    (@type seconds) => { ::sensor_facts::setting::Span };
    (@type number) => { f64 };

    (@value count $value:expr) => { $crate::detect::threshold::Value::Count($value) };
    (@value bytes $value:expr) => { $crate::detect::threshold::Value::Bytes($value) };
    (@value seconds $value:expr) => {
        $crate::detect::threshold::Value::Span(::sensor_facts::setting::Span::from_secs($value))
    };
    (@value number $value:expr) => { $crate::detect::threshold::Value::Number($value) };

    ($($(#[doc = $help:literal])+ $key:ident: $kind:ident = $default:expr, $range:expr;)+) => {
        /// The thresholds that this file declares, as they are configured.
        #[derive(Clone, Copy)]
        pub(in crate::detect) struct Thresholds {
            $($(#[doc = $help])+ pub(in crate::detect) $key: thresholds!(@type $kind),)+
        }

        pub(in crate::detect) const THRESHOLDS: &[$crate::detect::threshold::Threshold] = &[
            $($crate::detect::threshold::Threshold {
                key: stringify!($key),
                help: concat!($($help, "\n"),+),
                default: thresholds!(@value $kind $default),
                least: thresholds!(@value $kind *($range).start()),
                most: thresholds!(@value $kind *($range).end()),
            },)+
        ];

        impl Thresholds {
            pub(in crate::detect) fn of(values: &$crate::detect::threshold::Values) -> Self {
                Self { $($key: values.$kind(stringify!($key), $default),)+ }
            }
        }
    };
}
pub(in crate::detect) use thresholds;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_accepts_its_range_and_nothing_else() {
        let threshold = Threshold {
            key: "some",
            help: " Some.\n",
            default: Value::Count(5),
            least: Value::Count(1),
            most: Value::Count(9),
        };
        for value in [1, 5, 9_u32] {
            assert_eq!(threshold.check(value.into()), Ok(Value::Count(value)));
        }
        for value in [Value::Count(0), Value::Count(10), Value::Number(5.0)] {
            assert!(threshold.check(value).is_err(), "{value}");
        }
        let number = Threshold {
            default: Value::Number(0.5),
            least: Value::Number(0.0),
            most: Value::Number(1.0),
            ..threshold
        };
        assert!(number.check(Value::Number(f64::NAN)).is_err());
    }
}
