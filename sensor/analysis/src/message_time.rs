//! The time of an HL7 message as its sender wrote it.

/// Seconds since 1970 of MSH-7, `YYYYMMDDHHMM[SS[.S...]][+/-ZZZZ]` (HL7 v2.5 section 2.A.22), read as UTC if it
/// has no zone.
#[must_use]
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (digits, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let digits = digits.split('.').next()?;
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from, to| i8::try_from(part(from, to)?).ok();
    let time = jiff::civil::DateTime::new(
        part(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        small(8, 10)?,
        small(10, 12)?,
        small(12, 14).unwrap_or(0),
        0,
    )
    .ok()?;
    let offset = match zone.get(1..5) {
        None => 0,
        Some(zone) => {
            let number: i64 = zone.parse().ok()?;
            let minutes = number / 100 * 60 + number % 100;
            60 * if text.contains('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    let utc = jiff::tz::Offset::UTC.to_timestamp(time).ok()?;
    Some(utc.as_second() - offset)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("19700102"), None);
        assert_eq!(seconds("197001020000"), Some(86_400));
        assert_eq!(seconds("19700102000001.25"), Some(86_401));
        assert_eq!(seconds("19700102013000+0130"), Some(86_400));
        assert_eq!(seconds("19700101230000-0100"), Some(86_400));
        assert_eq!(seconds("not a time"), None);
    }
}
