//! Numbers and times in words, wherever people read them.

use crate::time::Time;

/// A number, with thousands set apart.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things, of which one is named without its last letter.
#[must_use]
pub fn several(number: u64, things: &str) -> String {
    let things = if number == 1 {
        things.strip_suffix('s').unwrap_or(things)
    } else {
        things
    };
    format!("{} {things}", count(number))
}

/// A number of seconds, in its two greatest units.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// A number of bytes, with a unit.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    UNITS.iter().find(|(_, size)| number >= *size).map_or_else(
        || format!("{number} B"),
        |(unit, size)| {
            let tenths = u128::from(number) * 10 / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

/// Day and time of day to the second, both in UTC: `2026-03-02`, `09:12:07`.
#[must_use]
pub fn utc(time: Time) -> (String, String) {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default();
    (
        moment.strftime("%Y-%m-%d").to_string(),
        moment.strftime("%H:%M:%S").to_string(),
    )
}

/// Both in one: `2026-03-02 09:12:07 UTC`.
#[must_use]
pub fn utc_moment(time: Time) -> String {
    let (day, time) = utc(time);
    format!("{day} {time} UTC")
}

/// The time from one moment to a later one, in its two greatest units.
#[must_use]
pub fn between(from: Time, to: Time) -> String {
    let nanoseconds = to.0.saturating_sub(from.0);
    span(u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_999_999, "1.9 MB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(span(59), "59s");
        assert_eq!(span(3_601), "1h 0m");
        assert_eq!(span(90_000), "1d 1h");
    }
}
