//! What follows from a list of fields: the struct, how it is read from the kernel's entry, its JSON, its part of the
//! schema and its columns in the store.

/// Makes a part of an event from the list of its fields.
///
/// ```text
/// /// What the part is.
/// pub struct Name(entry: &Entry, ...) {
///     /// What the field is, with its unit.
///     name: Type = where it comes from;
///     /// One that is left out where it is unknown or empty.
///     [optional] name: Option<Type> = ...;
///     /// One whose values are fewer than those of its type.
///     name: Type where (extend("enum" = ["of", "JSON Schema"])) = ...;
///     /// One that the store keeps, under the name of its column.
///     name: Type = ... => once "column";
/// }
/// ```
///
/// A field of a direction is kept `each`, in a column for each direction, or as a `sum` of both.
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        pub struct $record:ident($($given:ident: $from:ty),+) {
            $(
                $(#[doc = $doc:literal])+
                $([$when:ident])? $field:ident: $type:ty $(where $narrow:tt)? = $value:expr
                $(=> $over:ident $column:literal)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $record {
            $(
                $(#[doc = $doc])+
                // `any()` is never true: the word only says that the field has the second attribute.
                $(#[cfg_attr(any(), $when)] #[serde(default, skip_serializing_if = "Field::is_empty")])?
                $(#[cfg_attr(test, schemars $narrow)])?
                pub $field: $type,
            )+
        }

        impl $record {
            /// The fields that the store keeps.
            pub fn columns() -> impl Iterator<Item = &'static Column<Self>> {
                const COLUMNS: &[&[Column<$record>]] = &[
                    $(record!(@columns $record $field $type [$($doc)+] $($over $column)?)),+
                ];
                COLUMNS.iter().copied().flatten()
            }

            /// As an entry has it.
            #[must_use]
            pub fn of($($given: $from),+) -> Self {
                Self { $($field: $value),+ }
            }
        }

        impl Put for $record {
            fn put(&self, line: &mut Line<'_>) {
                line.put([b'{']);
                $(
                    if record!(@written $($when)? self.$field) {
                        line.key(const { Key::new(stringify!($field)) });
                        self.$field.put(line);
                    }
                )+
                line.end(b'}');
            }
        }

        #[cfg(test)]
        impl super::json::tests::Sample for $record {
            fn sample(source: &mut super::json::tests::Source) -> Self {
                Self { $($field: super::json::tests::Sample::sample(source)),+ }
            }
        }
    };
    (@columns $record:ident $field:ident $type:ty [$($doc:literal)+]) => { &[] };
    (@columns $record:ident $field:ident $type:ty [$($doc:literal)+] $over:ident $column:literal) => {
        &[Column {
            name: $column,
            over: record!(@over $over),
            kind: <$type as Field>::KIND,
            optional: <$type as Field>::OPTIONAL,
            help: concat!($($doc),+),
            read: |record| Field::stored(&record.$field),
        }]
    };
    (@over once) => { Over::Flow };
    (@over each) => { Over::EachDirection };
    (@over sum) => { Over::BothDirections };
    (@written optional $($field:tt)+) => { !Field::is_empty(&$($field)+) };
    (@written $($field:tt)+) => { true };
}

/// Makes an enumeration whose values are words in JSON, the first of them the default.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        pub enum $words:ident {
            $(#[doc = $first_doc:literal])+
            $first:ident = $first_word:literal,
            $(
                $(#[doc = $doc:literal])+
                $name:ident = $word:literal,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $words {
            $(#[doc = $first_doc])+
            #[default]
            #[serde(rename = $first_word)]
            $first,
            $(
                $(#[doc = $doc])+
                #[serde(rename = $word)]
                $name,
            )+
        }

        impl $words {
            /// All of them.
            pub const ALL: &[Self] = &[Self::$first, $(Self::$name),+];

            /// The word in JSON.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$name => $word,)+
                }
            }
        }

        impl Put for $words {
            fn put(&self, line: &mut Line<'_>) {
                line.text(self.label());
            }
        }

        impl Field for $words {
            const KIND: Kind = Kind::Text;

            fn stored(&self) -> Value<'_> {
                Value::Text(self.label())
            }
        }

        #[cfg(test)]
        impl super::json::tests::Sample for $words {
            fn sample(source: &mut super::json::tests::Source) -> Self {
                source.one_of(Self::ALL)
            }
        }
    };
}

pub(super) use {record, words};
