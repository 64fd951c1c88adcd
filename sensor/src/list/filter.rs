//! The filters that all lists share, and how their values are written.

use sensor_facts::{setting::Span, time::Time};

/// A filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// What a device has to do with.
    Device,
    /// From a moment on.
    Since,
    /// Until a moment.
    Until,
    /// By the role of a device.
    Role,
    /// By severity, this or above.
    Severity,
    /// By detector.
    Detector,
    /// By state.
    State,
    /// Without hosts of the Internet.
    SiteOnly,
}

impl Filter {
    /// Those of a list that is about hosts and says when.
    pub const OF_HOSTS: &'static [Self] = &[
        Self::Device,
        Self::Since,
        Self::Until,
        Self::Role,
        Self::SiteOnly,
    ];
}

/// All filters, with the options that set them.
pub const FILTERS: [(Filter, &str); 8] = [
    (Filter::Device, "device"),
    (Filter::Since, "since"),
    (Filter::Until, "until"),
    (Filter::Role, "role"),
    (Filter::Severity, "severity"),
    (Filter::Detector, "detector"),
    (Filter::State, "state"),
    (Filter::SiteOnly, "site-only"),
];

/// By which column rows are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column's name.
    pub column: String,
    /// The greatest first.
    pub descending: bool,
}

impl std::str::FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (column, order) = text.split_once(':').unwrap_or((text, "asc"));
        let descending = match order {
            "asc" => false,
            "desc" => true,
            other => return Err(format!("{other:?} is no order: write {column}:desc")),
        };
        Ok(Self {
            column: column.to_owned(),
            descending,
        })
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = if self.descending { ":desc" } else { "" };
        write!(f, "{}{order}", self.column)
    }
}

/// A moment as people write it: RFC 3339, or so long before now.
///
/// # Errors
/// When it is neither, with examples of both.
pub fn moment(text: &str, now: Time) -> Result<Time, String> {
    if let Ok(span) = text.parse::<Span>() {
        return Ok(now.before(span.as_nanos() / 1_000_000_000));
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| {
        format!(
            "{text:?} is no moment: write it as RFC 3339, such as 2026-03-01T08:00:00Z or 2026-03-01T08:00:00+01:00, or as so long ago, such as 30m, 2h or 3d"
        )
    })?;
    i64::try_from(moment.as_nanosecond())
        .map(Time)
        .map_err(|_| format!("{text:?} is beyond the years that there are"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_absolute_or_so_long_ago() {
        let now = Time(1_700_000_000_000_000_000);
        assert_eq!(moment("2h", now), Ok(now.before(7_200)));
        assert_eq!(moment("3d", now), Ok(now.before(3 * 86_400)));
        // RFC 3339 section 5.8: an offset is part of the moment.
        let eight = Time(1_772_352_000_000_000_000);
        assert_eq!(moment("2026-03-01T08:00:00Z", now), Ok(eight));
        assert_eq!(moment("2026-03-01T09:00:00+01:00", now), Ok(eight));
        for wrong in ["", "yesterday", "2026-13-01T08:00:00Z", "2w", "2026-03-01"] {
            let error = moment(wrong, now).expect_err(wrong);
            assert!(
                error.contains("2h") && error.contains("RFC 3339"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_order_is_a_column_and_a_direction() {
        let sort: Sort = "last-seen:desc".parse().expect("an order");
        assert_eq!((sort.column.as_str(), sort.descending), ("last-seen", true));
        assert_eq!(sort.to_string(), "last-seen:desc");
        assert!("address:down".parse::<Sort>().is_err());
    }
}
