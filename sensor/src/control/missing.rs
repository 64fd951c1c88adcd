//! A warning about parts of sessions that were not read.

use sensor_common::layer7::Reason;
use sensor_sessions::pipeline::PipelineStats;

/// What is missing of sessions is worth a warning where it is more than one of so many elements.
const MISSING: u64 = 1_000;

/// What of the sessions was not read, where it is more than one place in a thousand.
pub(super) fn warning(stats: &PipelineStats) -> Option<String> {
    let missing = stats.missing();
    if missing == 0 || missing * MISSING < stats.elements {
        return None;
    }
    let harmful = |label: &str| {
        let reason = Reason::ALL.iter().find(|one| one.label() == label);
        reason.filter(|one| !one.is_harmless())
    };
    let most = stats.skips.iter();
    let most = most.filter_map(|(label, count)| Some((harmful(label)?, count)));
    let most = most.max_by_key(|(_, count)| **count);
    let most = most.map_or_else(String::new, |(reason, count)| {
        let help = reason.help().trim().trim_end_matches('.');
        format!("; most often, {count} times: {help} ({})", reason.label())
    });
    Some(format!(
        "{missing} places in sessions of DICOM, HL7 or TLS were not read, beside {} elements that were{most}",
        stats.elements
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(elements: u64, reason: Reason, count: u64) -> PipelineStats {
        let mut stats = PipelineStats {
            elements,
            ..PipelineStats::default()
        };
        stats.skips.insert(reason.label().to_owned(), count);
        stats
    }

    #[test]
    fn what_was_not_read_is_said_beyond_one_in_a_thousand() {
        assert_eq!(warning(&PipelineStats::default()), None);
        assert_eq!(warning(&stats(9_000, Reason::DicomValue, 8)), None);
        let text = warning(&stats(7_000, Reason::DicomValue, 8)).unwrap();
        assert!(text.starts_with("8 places"), "{text}");
        assert!(
            text.ends_with("most often, 8 times: A presentation data value does not fit in its PDU (dicom_value)"),
            "{text}"
        );
        // Receivers leave these out too.
        assert_eq!(warning(&stats(10, Reason::Hl7Outside, 8)), None);
    }

    #[test]
    fn what_was_lost_on_the_way_counts_too() {
        let stats = PipelineStats {
            elements: 100,
            chunks_lost: 1,
            ..PipelineStats::default()
        };
        let text = warning(&stats).unwrap();
        assert!(text.ends_with("100 elements that were"), "{text}");
    }
}
