//! Values of the configuration file that check themselves while they are read. Each area's section is made of them.

mod network;
mod ring_size;
mod section;
mod size;
mod span;

pub use network::Network;
pub use ring_size::RingSize;
pub use section::{Key, Section, Value, line, shown};
pub use size::{Limit, Size};
pub use span::Span;

/// Reads and writes types as text in configuration files and JSON, by their `FromStr` and `Display`.
#[macro_export]
macro_rules! as_text {
    ($($name:ty),+) => {
        $(
            impl<'de> $crate::setting::serde::Deserialize<'de> for $name {
                fn deserialize<D: $crate::setting::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let text = <String as $crate::setting::serde::Deserialize>::deserialize(from)?;
                    text.parse().map_err($crate::setting::serde::de::Error::custom)
                }
            }

            impl $crate::setting::serde::Serialize for $name {
                fn serialize<S: $crate::setting::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    to.collect_str(self)
                }
            }
        )+
    };
}

#[doc(hidden)]
pub use serde;
