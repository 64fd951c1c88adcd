//! Amounts of disk space.

use std::{fmt, str::FromStr};

/// An amount of disk space, such as `20GiB` or `512MiB`; at least 1 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u64);

impl Size {
    /// So many bytes; what is below a mebibyte is left out.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

const UNITS: [(&str, u64); 3] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |(unit, bytes): &(&str, u64)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*bytes).filter(|bytes| *bytes > 0)
        };
        UNITS
            .iter()
            .find_map(number)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no size: write it as 512MiB, 20GiB or 1TiB"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = UNITS
            .iter()
            .find(|(_, bytes)| self.0.is_multiple_of(*bytes))
            .unwrap_or(&UNITS[UNITS.len() - 1]);
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

/// A [`Size`] that files may grow to, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Option<Size>);

impl Limit {
    /// In bytes; none if they may grow for ever.
    #[must_use]
    pub fn get(self) -> Option<u64> {
        self.0.map(Size::get)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Some(Size(256 << 20)))
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let size = text.parse().map_err(|error| format!("{error}, or off"))?;
        Ok(Self(Some(size)))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(size) => size.fmt(f),
            None => f.write_str("off"),
        }
    }
}

crate::as_text!(Size, Limit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for text in ["1MiB", "512MiB", "20GiB", "3TiB"] {
            let size: Result<Size, _> = text.parse();
            assert_eq!(size.map(|size| size.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "20", "20GB", "0GiB", "-1GiB", "99999999999TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
    }
}
