//! A document as a page that stands alone: no script, nothing fetched, drawings inline; it prints.

use askama::Template;
use sensor_facts::words::{between, utc};

use super::{Block, Document, Moment, Text};

#[derive(Template)]
#[template(path = "document.html")]
struct Page<'a> {
    document: &'a Document,
}

/// The page.
#[must_use]
pub fn html(document: &Document) -> String {
    // Nothing that the template writes can fail, and a string takes all of it.
    Page { document }.render().unwrap_or_default()
}

/// A moment in its place on the line.
struct Step<'a> {
    moment: &'a Moment,
    time: String,
    /// The day, where it is not the one before.
    day: Option<String>,
    /// How long after the one before, where that is a second or more.
    later: Option<String>,
}

fn steps(moments: &[Moment]) -> Vec<Step<'_>> {
    let before = std::iter::once(None).chain(moments.iter().map(Some));
    let step = |(moment, before): (_, Option<&Moment>)| {
        let moment: &Moment = moment;
        let (day, time) = utc(moment.time);
        let last = before.map(|before| utc(before.time));
        let same_day = last.as_ref().is_some_and(|last| last.0 == day);
        Step {
            moment,
            later: before
                .filter(|before| moment.time.0 - before.time.0 >= 1_000_000_000)
                .map(|before| between(before.time, moment.time)),
            day: (!same_day).then_some(day),
            time,
        }
    };
    moments.iter().zip(before).map(step).collect()
}

/// The cells of a row with the names of their columns.
fn labelled<'a>(row: &'a [Text], head: &'a [Text]) -> impl Iterator<Item = (&'a Text, &'a Text)> {
    row.iter().zip(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_hosts_say_is_text_and_nothing_else() {
        let page = html(&testing::hostile());
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("onload=\""), "{page}");
        assert!(!page.contains('\u{202e}') && page.contains("\\u{202e}"));
        assert!(page.contains("&#60;script&#62;"), "{page}");
    }

    #[test]
    fn the_page_stands_alone() {
        let page = html(&testing::hostile());
        for outside in ["http:", "https:", "src=", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside} in {page}");
        }
        let local = page.matches("url(#").count();
        assert_eq!(page.matches("url(").count(), local, "{page}");
        assert!(page.contains("<svg") && page.contains("@media print"));
    }
}
