//! HL7 version 2 messages in MLLP blocks.

use std::fmt::Write;

use super::burst::{DAY, SECOND};

/// Year, month and day since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// A time as MSH-7 has it, without zone.
#[must_use]
pub fn time(nanos: u64) -> String {
    let (year, month, day) = civil(nanos / DAY);
    let seconds = nanos % DAY / SECOND;
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Who sends, and to whom: application and facility of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// MSH-3 and 4.
    pub from: (String, String),
    /// MSH-5 and 6.
    pub to: (String, String),
}

impl Route {
    /// From one application to another of one facility.
    #[must_use]
    pub fn new(from: &str, to: &str, facility: &str) -> Self {
        Self {
            from: (from.to_owned(), facility.to_owned()),
            to: (to.to_owned(), facility.to_owned()),
        }
    }
}

/// A message of type `kind` (MSH-9), with `more` bytes of observations.
#[must_use]
pub fn message(route: &Route, kind: &str, control: &str, time: &str, more: usize) -> Vec<u8> {
    let mut text = format!(
        "\x0bMSH|^~\\&|{}|{}|{}|{}|{time}||{kind}|{control}|P|2.5.1\r\
         EVN||{time}\rPID|1||{control:0>10}^^^HOSP^MR||DOE^JANE||19700101|F\rPV1|1|I|W3^12^1\r",
        route.from.0, route.from.1, route.to.0, route.to.1,
    );
    let whole = text.len() + more;
    let mut nth = 1;
    while text.len() < whole {
        let (code, value) = (1_000 + nth, 37 + nth % 90);
        // Writing into text does not fail.
        let _ = write!(text, "OBX|{nth}|NM|{code}^MEASURE^L||{value}|1|||||F\r");
        nth += 1;
    }
    text.push_str("\x1c\r");
    text.into_bytes()
}

/// The acknowledgement of a message, of code AA, AE or AR.
#[must_use]
pub fn acknowledge(route: &Route, code: &str, control: &str, time: &str) -> Vec<u8> {
    format!(
        "\x0bMSH|^~\\&|{}|{}|{}|{}|{time}||ACK|A{control}|P|2.5.1\rMSA|{code}|{control}\r\x1c\r",
        route.to.0, route.to.1, route.from.0, route.from.1,
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(time(1_772_409_600 * SECOND + 61 * SECOND), "20260302000101");
    }
}
