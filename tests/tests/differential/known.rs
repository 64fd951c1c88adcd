//! Disagreements whose reason is known: a line each in `known.tsv`, with the class, the oddity that an exchange must
//! have (`*` for any), and why the sensor says something else.

/// Why there is a disagreement of this class in an exchange with these oddities, if that is known.
pub(crate) fn reason(class: &str, odd: &[&str]) -> Option<&'static str> {
    include_str!("known.tsv").lines().find_map(|line| {
        let mut columns = line.split('\t');
        let (of, with, why) = (columns.next()?, columns.next()?, columns.next()?);
        (of == class && (with == "*" || odd.contains(&with))).then_some(why)
    })
}
