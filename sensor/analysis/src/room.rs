//! Making room in a full table, where the least proven go first.

/// The share of a full table that is forgotten at once, so that an insertion costs a constant number of steps on average.
pub(crate) const PART: usize = 8;

/// The keys of the eighth with the lowest rank, in no order; one at least, if there is any.
pub(crate) fn least<R: Ord + Copy, K>(mut ranked: Vec<(R, K)>) -> impl Iterator<Item = K> {
    let part = (ranked.len() / PART).max(1);
    if part < ranked.len() {
        ranked.select_nth_unstable_by_key(part - 1, |(rank, _)| *rank);
    }
    ranked.into_iter().take(part).map(|(_, key)| key)
}
