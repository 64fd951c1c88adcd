//! Sections of the configuration file, each declared once.
//!
//! [`section!`](crate::section) declares a section: for each key its documentation, its type and its default. From that
//! come the structure that serde reads, its `Default`, and the list of keys that the commented configuration file and
//! `docs/configuration.md` are made from. [`item!`](crate::item) declares a table that may be there any number of
//! times, such as an interface, and so has keys without a default.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value as Json;

/// A part of the configuration file that lists its keys.
pub trait Section {
    /// What the section is about, from its documentation.
    const ABOUT: &'static str;

    /// The keys, in the order in which they are shown.
    fn keys() -> Vec<Key>;
}

/// A key of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, without the section.
    pub name: &'static str,
    /// What it means, from its documentation: lines, each ended.
    pub help: Cow<'static, str>,
    /// The unit of a number, or the kind of the value.
    pub unit: &'static str,
    /// Its default, or an example.
    pub value: Value,
}

/// What is shown as a key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The default, in TOML.
    Default(String),
    /// The key is not set by default; an example, in TOML.
    Example(String),
    /// The key must be given; an example, in TOML.
    Required(String),
    /// A section with keys of its own.
    Table(Vec<Key>),
    /// A section that is not there by default.
    Optional(Vec<Key>),
    /// A section that may be there any number of times, and is not there by default.
    List(Vec<Key>),
}

impl Key {
    /// A key. What `unit` leaves empty follows from the name of its type.
    #[must_use]
    pub fn new(
        name: &'static str,
        help: impl Into<Cow<'static, str>>,
        of: &str,
        unit: &'static str,
        value: Value,
    ) -> Self {
        let unit = if unit.is_empty() { kind(of) } else { unit };
        Self {
            name,
            help: help.into(),
            unit,
            value,
        }
    }

    /// The keys in it, if it is a section.
    #[must_use]
    pub fn section(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Table(keys) | Value::Optional(keys) | Value::List(keys) => Some(keys),
            Value::Default(_) | Value::Example(_) | Value::Required(_) => None,
        }
    }

    /// True for a section.
    #[must_use]
    pub fn is_section(&self) -> bool {
        self.section().is_some()
    }

    /// The help as one line.
    #[must_use]
    pub fn line(&self) -> String {
        line(&self.help)
    }
}

/// Documentation as one line.
#[must_use]
pub fn line(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The kind of value that a type of this name holds; empty where its documentation says it.
fn kind(of: &str) -> &'static str {
    let inner = of
        .trim_start_matches("Vec<")
        .trim_start_matches("Option<")
        .trim_end_matches('>')
        .trim();
    match inner {
        "Span" => "time",
        "Size" | "RingSize" | "Limit" => "size",
        "bool" => "true or false",
        "PathBuf" => "path",
        "Network" => "addresses, subnets",
        _ => "",
    }
}

/// A value as the configuration file has it. Strings, numbers, truth values and lists of these are written alike in
/// JSON and TOML.
pub fn shown<T: Serialize + ?Sized>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Json::Array(items)) => {
            let items: Vec<_> = items.iter().map(Json::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        Ok(value) => value.to_string(),
        Err(error) => format!("# not representable: {error}"),
    }
}

/// Declares a section of the configuration file: a structure, its `Default`, and its [`Section`].
///
/// Documentation and defaults are written once, at the field:
///
/// ```
/// sensor_facts::section! {
///     /// The ring buffer.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Ring {
///         /// How many records are read at once.
///         pub batch: u32 = 64 => unit "records",
///         /// A file that records are copied to.
///         pub copy: Option<String> = None => example "/tmp/records",
///     }
/// }
/// assert_eq!(Ring::default().batch, 64);
/// ```
///
/// A field without a default is a section of its own, and is shown with that section's documentation. `=> list Item` and `=> optional Item` stand at fields that hold
/// a `Vec` or an `Option` of an [`item!`](crate::item). The crate that uses this depends on serde.
#[macro_export]
macro_rules! section {
    (@doc doc = $help:literal) => { concat!($help, "\n") };
    (@doc $($other:tt)*) => { "" };

    (@default) => { ::core::default::Default::default() };
    (@default $default:expr) => { $default };

    (@key $help:expr, $key:ident, $type:ty,) => {
        $crate::section!(@new <$type as $crate::setting::Section>::ABOUT, $key, $type, "", Table(<$type as $crate::setting::Section>::keys()))
    };
    (@key $help:expr, $key:ident, $type:ty, = $default:expr) => {
        $crate::section!(@key $help, $key, $type, = $default => unit "")
    };
    (@key $help:expr, $key:ident, $type:ty, = $default:expr => unit $unit:literal) => {
        $crate::section!(@new $help, $key, $type, $unit, Default({
            let value: $type = $default;
            $crate::setting::shown(&value)
        }))
    };
    (@key $help:expr, $key:ident, $type:ty, = $default:expr => list $item:ty) => {
        $crate::section!(@new <$item as $crate::setting::Section>::ABOUT, $key, $type, "", List(<$item as $crate::setting::Section>::keys()))
    };
    (@key $help:expr, $key:ident, $type:ty, = $default:expr => optional $item:ty) => {
        $crate::section!(@new <$item as $crate::setting::Section>::ABOUT, $key, $type, "", Optional(<$item as $crate::setting::Section>::keys()))
    };
    (@key $help:expr, $key:ident, $type:ty, $(= $default:expr)? => example $example:expr) => {
        $crate::section!(@new $help, $key, $type, "", Example($crate::setting::shown(&$example)))
    };
    (@key $help:expr, $key:ident, $type:ty, => required $example:expr) => {
        $crate::section!(@new $help, $key, $type, "", Required($crate::setting::shown(&$example)))
    };
    (@key $help:expr, $key:ident, $type:ty, => default $default:expr) => {
        $crate::section!(@new $help, $key, $type, "", Default($crate::setting::shown(&$default)))
    };
    (@new $help:expr, $key:ident, $type:ty, $unit:literal, $value:ident($($shown:tt)*)) => {
        $crate::setting::Key::new(
            stringify!($key),
            $help,
            stringify!($type),
            $unit,
            $crate::setting::Value::$value($($shown)*),
        )
    };

    (
        $(#[$($about:tt)*])*
        pub struct $name:ident {
            $(
                $(#[$($attribute:tt)*])*
                pub $key:ident: $type:ty $(= $default:expr $(=> $word:ident $extra:tt)?)?
            ),* $(,)?
        }
    ) => {
        $(#[$($about)*])*
        #[derive(::serde::Deserialize, ::serde::Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$($attribute)*])* pub $key: $type,)*
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self { $($key: $crate::section!(@default $($default)?),)* }
            }
        }

        impl $crate::setting::Section for $name {
            const ABOUT: &'static str = concat!($($crate::section!(@doc $($about)*)),*);

            fn keys() -> ::std::vec::Vec<$crate::setting::Key> {
                ::std::vec![$($crate::section!(@key
                    concat!($($crate::section!(@doc $($attribute)*)),*),
                    $key, $type, $(= $default $(=> $word $extra)?)?
                )),*]
            }
        }
    };
}

/// Declares a table of the configuration file that may be there any number of times, or not at all: a structure
/// without `Default`, and its [`Section`].
///
/// Each field says whether it is `required`, has a `default`, or is shown by an `example` because it is not set by
/// default. Attributes say what serde does where the key is missing, as usual.
#[macro_export]
macro_rules! item {
    (
        $(#[$($about:tt)*])*
        pub struct $name:ident {
            $(
                $(#[$($attribute:tt)*])*
                pub $key:ident: $type:ty => $word:ident $shown:expr
            ),* $(,)?
        }
    ) => {
        $(#[$($about)*])*
        #[derive(::serde::Deserialize, ::serde::Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$($attribute)*])* pub $key: $type,)*
        }

        impl $crate::setting::Section for $name {
            const ABOUT: &'static str = concat!($($crate::section!(@doc $($about)*)),*);

            fn keys() -> ::std::vec::Vec<$crate::setting::Key> {
                ::std::vec![$($crate::section!(@key
                    concat!($($crate::section!(@doc $($attribute)*)),*),
                    $key, $type, => $word $shown
                )),*]
            }
        }
    };
}

#[cfg(test)]
#[expect(
    unreachable_pub,
    reason = "sections are public, and these are of a test"
)]
mod tests {
    use super::*;
    use crate::setting::Span;

    item! {
        /// A door.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Door {
            /// Its name.
            pub name: String => required "front",
            /// Whether it is open.
            #[serde(default)]
            pub open: bool => default false,
        }
    }

    section! {
        /// A house,
        /// with doors.
        #[derive(Clone, Debug, PartialEq)]
        pub struct House {
            /// How old it is.
            pub age: u32 = 3 => unit "years",
            /// How long it is warm.
            pub warm: Span = Span::from_secs(3_600),
            /// Who lives there.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub owner: Option<String> = None => example "A",
            /// The doors.
            pub door: Vec<Door> = Vec::new() => list Door,
        }
    }

    #[test]
    fn a_section_has_defaults_and_lists_its_keys() {
        let house: House = serde_json::from_str("{}").expect("the defaults");
        assert_eq!(house, House::default());
        assert_eq!((house.age, house.owner), (3, None));
        assert_eq!(line(House::ABOUT), "A house, with doors.");
        let keys = House::keys();
        let shown: Vec<_> = keys
            .iter()
            .map(|key| (key.name, key.line(), key.unit, &key.value))
            .collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            shown,
            [
                (
                    "age",
                    text("How old it is."),
                    "years",
                    &Value::Default(text("3"))
                ),
                (
                    "warm",
                    text("How long it is warm."),
                    "time",
                    &Value::Default(text("\"1h\""))
                ),
                (
                    "owner",
                    text("Who lives there."),
                    "",
                    &Value::Example(text("\"A\""))
                ),
                ("door", text("A door."), "", &Value::List(Door::keys())),
            ]
        );
        assert!(serde_json::from_str::<House>("{\"roof\": 1}").is_err());
        assert!(serde_json::from_str::<Door>("{}").is_err());
    }
}
