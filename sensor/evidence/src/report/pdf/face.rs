//! The two faces of a PDF report: Helvetica, which every reader brings (ISO 32000-1 section 9.6.2.2), so that no font is in
//! the file. Text is in the encoding of Windows 1252, and what it lacks stands as `\u{4e2d}`.

/// Widths of the characters from the space to the tilde in thousandths of the size (Adobe Core 14 AFM).
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// The width that any other character counts as: no narrower than nearly all of them.
const OTHER: u16 = 722;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

impl Face {
    /// How wide encoded text is at a size, in points.
    pub(super) fn width(self, text: &[u8], size: f32) -> f32 {
        let widths = match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        };
        let width = |byte: &u8| {
            let at = usize::from(*byte).wrapping_sub(0x20);
            f32::from(widths.get(at).copied().unwrap_or(OTHER))
        };
        text.iter().map(width).sum::<f32>() * size / 1_000.0
    }
}

/// The characters of Windows 1252 from 0x80 to 0x9f that reports use.
const SPECIAL: [(char, u8); 9] = [
    ('€', 0x80),
    ('…', 0x85),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
];

/// Text in the encoding of both faces.
pub(super) fn encoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        let special = SPECIAL.iter().find(|(it, _)| *it == c);
        match (u32::from(c), special) {
            (_, Some((_, byte))) => bytes.push(*byte),
            (code @ (0x20..=0x7e | 0xa0..=0xff), None) => bytes.push(code.to_le_bytes()[0]),
            // Which way something went.
            (0x2192, None) => bytes.extend(b"->"),
            _ => bytes.extend(c.escape_unicode().to_string().into_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_faces_lack_is_seen_for_what_it_is() {
        assert_eq!(
            encoded("a → b: Müller – 中"),
            b"a -> b: M\xfcller \x96 \\u{4e2d}"
        );
    }

    #[test]
    fn widths_are_those_of_the_metrics() {
        assert!((Face::Regular.width(b"Wi ", 10.0) - 14.44).abs() < 0.001);
        assert!((Face::Bold.width(b"Wi~", 10.0) - 18.06).abs() < 0.001);
    }
}
