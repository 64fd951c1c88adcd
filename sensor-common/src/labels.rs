//! Names and help of enums whose variants are counted or told.

/// `ALL`, `label` and `help` of an enum, from its variants, their labels and their doc comments.
macro_rules! labels {
    ($type:ident: $($name:ident = $label:literal, [$($doc:literal)+];)+) => {
        impl $type {
            /// Every variant, in the order of its index.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in events, metrics and status, in `snake_case`.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// One line that says what is meant.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}
