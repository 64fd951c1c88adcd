//! An alert for people, 80 columns wide.

use std::{fmt::Write as _, net::IpAddr};

use sensor_facts::{
    alert::{Alert, Decided, Touched},
    finding::{Contribution, Finding},
};

use crate::{
    cli::table::{count, local},
    list::states,
};

/// Columns.
const WIDTH: usize = 80;
/// Victims that are named.
const VICTIMS: usize = 4;

/// Who, how sure, the evidence, the amounts, what to check, what containment would do, what was decided.
pub(in crate::cli) fn text(alert: &Alert) -> String {
    let mut page = Page::default();
    page.line(
        0,
        &format!(
            "Alert {}: {}, confidence {:.0} %, {}",
            alert.id,
            alert.severity,
            alert.confidence * 100.0,
            states(alert).join(", "),
        ),
    );
    let role = if alert.role.is_victim() {
        "victim"
    } else {
        "is suspected"
    };
    page.line(
        0,
        &format!(
            "{} {role}, {} to {}",
            alert.device,
            local(alert.opened),
            local(alert.updated),
        ),
    );
    page.line(0, &format!("ATT&CK {}", alert.techniques.join(", ")));
    page.heading("Evidence");
    for finding in &alert.findings {
        evidence(&mut page, finding);
    }
    let all = alert.finding_count;
    let shown = alert.findings.len() as u64;
    if all > shown {
        page.line(2, &format!("({all} findings; the last of each detector)"));
    }
    if !alert.features.is_empty() {
        page.heading("Amounts, and what is usual of the device at this time of day");
        amounts(&mut page, &alert.features);
    }
    page.heading("Check first: it is wrong if");
    for check in &alert.check {
        page.line(2, &check.replacen(": wrong if ", ": ", 1));
    }
    if let Some(containment) = &alert.containment {
        page.heading("Containment would");
        page.line(2, &containment.action);
        if !alert.role.is_victim() {
            clinical(&mut page, alert.device, containment);
        }
    }
    if !alert.decisions.is_empty() {
        page.heading("What the policy decided");
    }
    let same = |a: &Decided, b: &Decided| (&a.verdict, &a.reason) == (&b.verdict, &b.reason);
    for alike in alert.decisions.chunk_by(same) {
        let [decided, others @ ..] = alike else {
            continue;
        };
        let verdict = decided.verdict.replace('_', " ");
        let again = match others.len() {
            0 => String::new(),
            more => format!(" (and {more} more alike)"),
        };
        page.line(
            2,
            &format!(
                "{} {verdict}: {}{again}",
                local(decided.time),
                decided.reason
            ),
        );
    }
    if let Some(label) = &alert.label {
        page.heading("Label");
        page.line(
            2,
            &format!(
                "{} by {} on {}: {}",
                label.verdict.label(),
                label.by,
                local(label.time),
                label.reason
            ),
        );
    }
    page.0
}

fn evidence(page: &mut Page, finding: &Finding) {
    page.line(
        2,
        &format!(
            "{} ({:.0} %): {}",
            finding.detector,
            finding.confidence * 100.0,
            finding.evidence
        ),
    );
    if finding.victims.is_empty() {
        return;
    }
    let named = finding.victims.iter().take(VICTIMS);
    let named: Vec<String> = named.map(ToString::to_string).collect();
    let more = finding.victim_count.saturating_sub(named.len() as u64);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let service = finding.service.map_or_else(String::new, |service| {
        format!(", {} port {}", service.transport.label(), service.port)
    });
    let word = if finding.role.is_victim() {
        "from"
    } else {
        "to"
    };
    page.line(6, &format!("{word} {}{more}{service}", named.join(", ")));
}

/// In columns: what, how much, the usual, its range.
fn amounts(page: &mut Page, features: &[Contribution]) {
    let widest = |of: fn(&Contribution) -> String| {
        features
            .iter()
            .map(|one| of(one).chars().count())
            .max()
            .unwrap_or(0)
    };
    let names = widest(|one| one.feature.clone());
    let values = widest(|one| count(one.value));
    for one in features {
        let usual = match (one.usual, one.range) {
            (Some(usual), Some((low, high))) => {
                format!("usual {}, {} to {}", count(usual), count(low), count(high))
            }
            _ => "no history yet".to_owned(),
        };
        let (name, value) = (&one.feature, count(one.value));
        page.line(2, &format!("{name:<names$}  {value:>values$}  {usual}"));
    }
}

/// Lines that break between words.
#[derive(Default)]
pub(in crate::cli) struct Page(pub(in crate::cli) String);

impl Page {
    pub(in crate::cli) fn heading(&mut self, text: &str) {
        self.0.push('\n');
        self.line(0, text);
    }

    /// A paragraph; the lines that follow its first are set in further.
    pub(in crate::cli) fn line(&mut self, indent: usize, text: &str) {
        let mut rest = text;
        let mut margin = indent;
        loop {
            let (line, left) = broken(rest, WIDTH - margin);
            // Writing to a string can't fail.
            let _ = writeln!(self.0, "{:margin$}{line}", "");
            if left.is_empty() {
                return;
            }
            rest = left;
            margin = indent + 4;
        }
    }
}

/// The part of a text that fits, up to the last space, and the rest.
pub(in crate::cli) fn broken(text: &str, width: usize) -> (&str, &str) {
    let Some((end, _)) = text.char_indices().nth(width) else {
        return (text, "");
    };
    let cut = if text[end..].starts_with(' ') {
        Some(end)
    } else {
        text[..end].rfind(' ').filter(|at| *at > 0)
    };
    // A word that is wider stands alone.
    match cut.or_else(|| text.find(' ')) {
        Some(at) => (text[..at].trim_end(), text[at..].trim_start()),
        None => (text, ""),
    }
}

/// Which clinical traffic containment would stop. What was not watched for long enough is never said to stop nothing.
fn clinical(page: &mut Page, device: IpAddr, touched: &Touched) {
    if !touched.clinical.is_empty() {
        page.line(2, "Clinical traffic that would stop with it:");
    }
    for peer in &touched.clinical {
        page.line(4, peer);
    }
    if let Some(recent) = touched.recent {
        page.line(
            2,
            &format!("Clinical traffic that is not learned yet would stop too: {recent}."),
        );
    } else if touched.clinical.is_empty() {
        page.line(
            2,
            &format!(
                "No clinical traffic of {device} was seen so far. `wardtap devices show {device}` says since when it is watched."
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use sensor_facts::alert::Recent;

    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(broken("one two three", 20), ("one two three", ""));
        assert_eq!(broken("one two three", 7), ("one two", "three"));
        assert_eq!(broken("one two three", 6), ("one", "two three"));
        assert_eq!(broken("abcdefgh ij", 4), ("abcdefgh", "ij"));
        assert_eq!(broken("ääää öö", 5), ("ääää", "öö"));
        let mut page = Page::default();
        page.line(2, &"word ".repeat(40));
        assert!(page.0.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(page.0.split_whitespace().count(), 40);
    }

    #[test]
    fn what_was_not_watched_is_not_said_to_stop_nothing() {
        let device = [10, 1, 4, 20].into();
        let text = |touched: &Touched| {
            let mut page = Page::default();
            clinical(&mut page, device, touched);
            page.0.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut touched = Touched {
            recent: Some(Recent {
                exchanges: 40,
                peers: 2,
            }),
            ..Touched::default()
        };
        assert!(
            text(&touched)
                .contains("would stop too: 40 associations or accepted messages with 2 services")
        );
        touched.recent = None;
        assert!(text(&touched).contains("was seen so far"));
        touched.clinical = vec!["uses 10.1.4.1, TCP port 104".to_owned()];
        assert!(!text(&touched).contains("so far"));
    }
}
