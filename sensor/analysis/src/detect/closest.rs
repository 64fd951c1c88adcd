//! What someone may have meant.

/// The name that is most like this one, if any is like it.
pub(super) fn closest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    among
        .map(|one| (distance(name, one), one))
        .filter(|(distance, one)| {
            let part = !name.is_empty() && (one.contains(name) || name.contains(one));
            part || *distance <= name.chars().count().max(3) / 3
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// Characters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, one) in a.chars().enumerate() {
        let mut above = row[0];
        row[0] = line + 1;
        for (column, other) in b.iter().enumerate() {
            let replaced = above + usize::from(one != *other);
            above = row[column + 1];
            row[column + 1] = replaced.min(above + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_it_is_found() {
        let names = || ["scan", "sweep", "mass_find", "study_exfiltration"].into_iter();
        for (name, near) in [
            ("scann", Some("scan")),
            ("portscan", Some("scan")),
            ("massfind", Some("mass_find")),
            ("exfiltration", Some("study_exfiltration")),
            ("sweeps", Some("sweep")),
            ("nothing", None),
            ("", None),
        ] {
            assert_eq!(closest(name, names()), near, "{name}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
