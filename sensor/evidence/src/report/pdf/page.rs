//! Pages that fill from top to bottom, in points from the bottom left corner.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::face::{Face, encoded};

/// A4.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 50.0;
/// Where the last line of a page may stand; below is its number.
const BOTTOM: f32 = 62.0;
/// From the baseline of a line to the next, as a part of the size.
const LEADING: f32 = 1.35;
/// Letters of a moment in UTC.
const MOMENT: usize = 23;
/// The left half of the space between two columns.
const GUTTER: f32 = 4.0;
const FACES: [(Name<'static>, &[u8]); 2] =
    [(Name(b"R"), b"Helvetica"), (Name(b"B"), b"Helvetica-Bold")];

/// Red, green and blue.
pub(super) type Colour = [f32; 3];
pub(super) const BLACK: Colour = [0.1, 0.1, 0.12];
pub(super) const GREY: Colour = [0.42, 0.42, 0.46];

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) face: Face,
    pub(super) size: f32,
    pub(super) colour: Colour,
    /// From the left margin.
    pub(super) indent: f32,
}

pub(super) struct Pages {
    done: Vec<Vec<u8>>,
    content: Content,
    /// The baseline of the next line.
    y: f32,
    title: String,
}

impl Pages {
    pub(super) fn new(title: String) -> Self {
        Self {
            done: Vec::new(),
            content: Content::new(),
            y: HEIGHT - MARGIN,
            title,
        }
    }

    /// Leaves some room, but none at the top of a page.
    pub(super) fn space(&mut self, points: f32) {
        if self.y < HEIGHT - MARGIN {
            self.y -= points;
        }
    }

    /// Begins a new page if so much does not fit on this one.
    pub(super) fn keep(&mut self, points: f32) {
        if self.y - points < BOTTOM {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let full = std::mem::replace(&mut self.content, Content::new());
        self.done.push(full.finish().into_vec());
        self.y = HEIGHT - MARGIN;
    }

    fn write(&mut self, text: &[u8], x: f32, y: f32, style: Style) {
        let (name, _) = FACES[usize::from(style.face == Face::Bold)];
        let [red, green, blue] = style.colour;
        self.content.set_fill_rgb(red, green, blue);
        self.content.begin_text();
        self.content.set_font(name, style.size);
        self.content.next_line(x, y);
        self.content.show(Str(text));
        self.content.end_text();
    }

    /// A paragraph over the whole width.
    pub(super) fn paragraph(&mut self, text: &str, style: Style) {
        let room = WIDTH - 2.0 * MARGIN - style.indent;
        for line in lines(&encoded(text), room, style.face, style.size) {
            self.keep(style.size * LEADING);
            self.y -= style.size * LEADING;
            self.write(&line, MARGIN + style.indent, self.y, style);
        }
    }

    /// A mark at the begin of the line that comes next.
    pub(super) fn mark(&mut self, text: &str, style: Style) {
        self.keep(style.size * LEADING);
        let y = self.y - style.size * LEADING;
        self.write(&encoded(text), MARGIN + style.indent, y, style);
    }

    fn rule(&mut self, y: f32) {
        self.content.set_stroke_rgb(0.8, 0.8, 0.83);
        self.content.set_line_width(0.5);
        self.content.move_to(MARGIN, y);
        self.content.line_to(WIDTH - MARGIN, y);
        self.content.stroke();
    }

    /// A table; its head is repeated on each page. A row is never cut, unless it is higher than a page.
    pub(super) fn table(&mut self, head: &[String], rows: &[Vec<String>], size: f32) {
        let of =
            |cells: &[String]| -> Vec<Vec<u8>> { cells.iter().map(|it| encoded(it)).collect() };
        let (head, rows) = (of(head), rows.iter().map(|row| of(row)).collect::<Vec<_>>());
        let widths = widths(&head, &rows, size);
        let titled = head.iter().any(|cell| !cell.is_empty());
        if titled {
            self.keep(4.0 * size * LEADING);
            self.row(&head, &widths, Face::Bold, size);
        }
        for row in &rows {
            let height = high(row, &widths, Face::Regular, size);
            if self.y - height < BOTTOM {
                self.turn();
                if titled {
                    self.row(&head, &widths, Face::Bold, size);
                }
            }
            self.row(row, &widths, Face::Regular, size);
        }
    }

    fn row(&mut self, cells: &[Vec<u8>], widths: &[f32], face: Face, size: f32) {
        let style = Style {
            face,
            size,
            colour: BLACK,
            indent: 0.0,
        };
        let broken: Vec<_> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| lines(cell, width - 2.0 * GUTTER, face, size))
            .collect();
        let count = broken.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..count {
            if self.y - size * LEADING < BOTTOM {
                self.turn();
            }
            self.y -= size * LEADING;
            let mut x = MARGIN;
            for (cell, width) in broken.iter().zip(widths) {
                if let Some(line) = cell.get(number) {
                    self.write(line, x, self.y, style);
                }
                x += width;
            }
        }
        self.y -= size * 0.4;
        self.rule(self.y);
    }

    /// The file.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.turn();
        let (catalog, tree, info) = (Ref::new(1), Ref::new(2), Ref::new(3));
        let fonts = [Ref::new(4), Ref::new(5)];
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
        pdf.document_info(info)
            .title(TextStr(&self.title))
            .creator(TextStr("wardtap"));
        for (font, (_, base)) in fonts.iter().zip(FACES) {
            pdf.type1_font(*font)
                .base_font(Name(base))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        let count = self.done.len();
        let ids = (6..).step_by(2).take(count).map(Ref::new);
        let all = i32::try_from(count).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(ids.clone()).count(all);
        for (number, (content, id)) in (1..).zip(self.done.iter().zip(ids)) {
            let stream = id.next();
            let mut page = pdf.page(id);
            page.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
            page.parent(tree).contents(stream);
            let mut resources = page.resources();
            let mut named = resources.fonts();
            for (font, (name, _)) in fonts.iter().zip(FACES) {
                named.pair(name, *font);
            }
            named.finish();
            resources.finish();
            page.finish();
            let mut foot = Self::new(String::new());
            let style = Style {
                face: Face::Regular,
                size: 8.0,
                colour: GREY,
                indent: 0.0,
            };
            let text = format!("{} - page {number} of {count}", self.title);
            foot.write(&encoded(&text), MARGIN, 38.0, style);
            let foot = foot.content.finish().into_vec();
            pdf.stream(stream, &[content.as_slice(), b"\n", &foot].concat());
        }
        pdf.finish()
    }
}

/// Text in lines that fit, broken between words; a word that is wider is cut.
fn lines(text: &[u8], room: f32, face: Face, size: f32) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    for word in text.split(|byte| *byte == b' ') {
        let mut word = word.to_vec();
        let joined = |line: &[u8], word: &[u8]| match line {
            [] => word.to_vec(),
            line => [line, b" ", word].concat(),
        };
        if face.width(&joined(&line, &word), size) > room && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while face.width(&word, size) > room && word.len() > 1 {
            let fits = |end: &usize| face.width(&word[..*end], size) <= room;
            let end = (1..word.len()).rev().find(fits).unwrap_or(1);
            let rest = word.split_off(end);
            lines.push(std::mem::replace(&mut word, rest));
        }
        line = joined(&line, &word);
    }
    lines.push(line);
    lines
}

fn high(row: &[Vec<u8>], widths: &[f32], face: Face, size: f32) -> f32 {
    let lines = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| lines(cell, width - 2.0 * GUTTER, face, size).len());
    let count = u16::try_from(lines.max().unwrap_or(0)).unwrap_or(u16::MAX);
    (f32::from(count) * LEADING + 0.4) * size
}

/// Widths of columns: each has at least its longest word where there is room, the rest goes by how much text there is.
fn widths(head: &[Vec<u8>], rows: &[Vec<Vec<u8>>], size: f32) -> Vec<f32> {
    let all = WIDTH - 2.0 * MARGIN;
    let cells = |at: usize| {
        let rows = rows.iter().filter_map(move |row| row.get(at));
        rows.chain(head.get(at))
    };
    let whole = |cell: &Vec<u8>| Face::Bold.width(cell, size) + 2.0 * GUTTER;
    let longest = |cell: &Vec<u8>| {
        if cell.len() <= MOMENT {
            return whole(cell);
        }
        let words = cell.split(|byte| *byte == b' ');
        let widths = words.map(|word| Face::Bold.width(word, size));
        widths.fold(0.0, f32::max) + 2.0 * GUTTER
    };
    let columns = 0..head.len();
    let least: Vec<f32> = columns
        .clone()
        .map(|at| cells(at).map(longest).fold(0.0, f32::max))
        .collect();
    let wanted: Vec<f32> = columns
        .map(|at| cells(at).map(whole).fold(0.0, f32::max))
        .collect();
    let (low, high) = (least.iter().sum::<f32>(), wanted.iter().sum::<f32>());
    let share = |least: f32, wanted: f32| {
        if low >= all {
            least * all / low
        } else if high <= all {
            wanted
        } else {
            least + (wanted - least) * (all - low) / (high - low)
        }
    };
    least
        .iter()
        .zip(&wanted)
        .map(|(l, w)| share(*l, *w))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_keep_every_letter() {
        let text = b"a word and another, then 2001:db8:85a3:8d3:1319:8a2e:370:7348-and-more-without-an-end";
        let broken = lines(text, 60.0, Face::Regular, 9.0);
        assert!(
            broken
                .iter()
                .all(|line| Face::Regular.width(line, 9.0) <= 60.0)
        );
        let letters = |bytes: &[u8]| bytes.iter().filter(|it| **it != b' ').count();
        assert_eq!(letters(&broken.concat()), letters(text));
        assert_eq!(broken[0], b"a word and");
    }

    #[test]
    fn columns_fill_no_more_than_the_page() {
        let cell = |text: &str| encoded(text);
        let head = vec![cell("time"), cell("what")];
        let rows = vec![vec![cell("2026-11-30"), cell(&"many words ".repeat(60))]];
        let widths = widths(&head, &rows, 8.5);
        assert!(widths.iter().sum::<f32>() <= WIDTH - 2.0 * MARGIN + 0.1);
        assert!(
            widths[0] >= Face::Bold.width(b"2026-11-30", 8.5),
            "{widths:?}"
        );
    }
}
