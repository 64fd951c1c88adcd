//! Names that hosts give themselves.

use crate::protocol::text::text;

/// Characters of a name.
const NAME_MAX: usize = 63;

/// A name as it was sent; some end it with a zero byte.
pub(super) fn name(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    let (name, _) = bytes.split_at(end.map_or(0, |last| last + 1));
    text(name, NAME_MAX)
}
