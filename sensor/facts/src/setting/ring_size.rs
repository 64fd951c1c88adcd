//! Sizes of the ring buffer.

use std::{fmt, str::FromStr};

/// A size of the ring buffer, such as `8MiB`: a power of two of at least 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize(u32);

impl RingSize {
    /// So many mebibytes.
    #[must_use]
    pub const fn mebibytes(number: u32) -> Self {
        Self(number << 20)
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for RingSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no size: write it as 512KiB or 8MiB");
        let (number, shift) = if let Some(number) = text.strip_suffix("KiB") {
            (number, 10)
        } else if let Some(number) = text.strip_suffix("MiB") {
            (number, 20)
        } else {
            return Err(wrong());
        };
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        let bytes = number
            .checked_mul(1 << shift)
            .and_then(|bytes| u32::try_from(bytes).ok())
            .filter(|bytes| bytes.is_power_of_two() && (4_096..=1 << 30).contains(bytes));
        bytes
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no power of two between 4KiB and 1024MiB"))
    }
}

impl fmt::Display for RingSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1 << 20 {
            write!(f, "{}MiB", self.0 >> 20)
        } else {
            write!(f, "{}KiB", self.0 >> 10)
        }
    }
}

crate::as_text!(RingSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for text in ["4KiB", "512KiB", "8MiB", "1024MiB"] {
            assert_eq!(
                text.parse::<RingSize>()
                    .map(|size| size.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        for text in ["", "8", "8MB", "3MiB", "2KiB", "2048MiB", "-4KiB"] {
            assert!(text.parse::<RingSize>().is_err(), "{text:?}");
        }
    }
}
