//! A graph of contacts, drawn: columns by hop, nodes in a fixed order, so that the same graph is the same drawing.

use super::Text;

/// What a node is, told by its shape and in words, not by colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Suspected.
    Suspect,
    /// Care depends on it.
    Clinical,
    /// Any other.
    #[default]
    Other,
}

impl Kind {
    /// A word for it: the HTML class.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Clinical => "clinical",
            Self::Other => "other",
        }
    }
}

/// What an edge says, told by its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// A finding is about it.
    Found,
    /// Someone could have come that way.
    #[default]
    Possible,
}

impl Way {
    /// A word for it: the HTML class.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Possible => "possible",
        }
    }
}

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The name under its symbol.
    pub name: Text,
    /// What it is.
    pub detail: Text,
    /// What it is, for its shape.
    pub kind: Kind,
    /// Column: hops from the first node.
    pub hop: usize,
}

/// A contact, by the places of its nodes in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// From this node.
    pub from: usize,
    /// To this one.
    pub to: usize,
    /// What it is, in words.
    pub label: Text,
    /// What it says.
    pub way: Way,
}

/// Nodes and edges; edges that name nodes which are not there are not drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// What is drawn.
    pub caption: Text,
    /// Devices.
    pub nodes: Vec<Node>,
    /// Contacts.
    pub edges: Vec<Edge>,
}

/// Measures of the drawing, in its own units.
const WIDTH: usize = 176;
const HEIGHT: usize = 46;
const COLUMN: usize = 272;
const ROW: usize = 64;
const TOP: usize = 34;
const MARGIN: usize = 8;
/// Characters that fit a node's two lines.
const NAME_MAX: usize = 22;
const DETAIL_MAX: usize = 28;

/// A graph with the place of everything.
pub(super) struct Drawing {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) columns: Vec<Column>,
    pub(super) nodes: Vec<Box>,
    pub(super) lines: Vec<Line>,
}

/// A column's heading.
pub(super) struct Column {
    pub(super) x: usize,
    pub(super) title: String,
}

/// A node in its place.
pub(super) struct Box {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) middle: usize,
    pub(super) name_y: usize,
    pub(super) detail_y: usize,
    pub(super) shape: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) detail: String,
    /// Name and detail whole.
    pub(super) whole: String,
}

/// An edge in its place.
pub(super) struct Line {
    pub(super) path: String,
    pub(super) way: &'static str,
    pub(super) label: String,
}

impl Graph {
    /// Lays the graph out: a column for each hop, a row for each node of it in the order of the list.
    pub(super) fn draw(&self) -> Drawing {
        let columns = self
            .nodes
            .iter()
            .map(|node| node.hop + 1)
            .max()
            .unwrap_or(0);
        let mut rows = vec![0; columns];
        for node in &self.nodes {
            rows[node.hop] += 1;
        }
        let most = rows.iter().copied().max().unwrap_or(0);
        let mut taken = vec![0; columns];
        let nodes: Vec<Box> = self
            .nodes
            .iter()
            .map(|node| {
                // Columns of fewer nodes stand in the middle.
                let shift = (most - rows[node.hop]) * ROW / 2;
                let place = (
                    MARGIN + node.hop * COLUMN,
                    TOP + shift + taken[node.hop] * ROW,
                );
                taken[node.hop] += 1;
                Box::of(node, place)
            })
            .collect();
        let lines = self.edges.iter().filter_map(|edge| {
            let (from, to) = (nodes.get(edge.from)?, nodes.get(edge.to)?);
            Some(Line {
                path: path(from, to),
                way: edge.way.label(),
                label: edge.label.to_string(),
            })
        });
        Drawing {
            width: 2 * MARGIN + columns.saturating_sub(1) * COLUMN + WIDTH,
            height: TOP + most * ROW,
            columns: (0..columns).map(Column::of).collect(),
            lines: lines.collect(),
            nodes,
        }
    }
}

impl Column {
    fn of(hop: usize) -> Self {
        Self {
            x: MARGIN + hop * COLUMN,
            title: match hop {
                0 => "Start".to_owned(),
                1 => "1 hop".to_owned(),
                more => format!("{more} hops"),
            },
        }
    }
}

impl Box {
    fn of(node: &Node, (x, y): (usize, usize)) -> Self {
        let (right, low, middle) = (x + WIDTH, y + HEIGHT, y + HEIGHT / 2);
        // Suspects are octagons, as stop signs are; clinical devices have pointed ends; others are boxes.
        let shape = match node.kind {
            Kind::Suspect => format!(
                "M{} {y}H{}L{right} {}V{}L{} {low}H{}L{x} {}V{}Z",
                x + 10,
                right - 10,
                y + 10,
                low - 10,
                right - 10,
                x + 10,
                low - 10,
                y + 10
            ),
            Kind::Clinical => format!(
                "M{} {y}H{}L{right} {middle}L{} {low}H{}L{x} {middle}Z",
                x + 12,
                right - 12,
                right - 12,
                x + 12
            ),
            Kind::Other => format!("M{x} {y}H{right}V{low}H{x}Z"),
        };
        Self {
            x,
            y: middle,
            middle: x + WIDTH / 2,
            name_y: y + 20,
            detail_y: y + 36,
            shape,
            kind: node.kind.label(),
            name: cut(node.name.as_str(), NAME_MAX),
            detail: cut(node.detail.as_str(), DETAIL_MAX),
            whole: format!("{}, {}", node.name, node.detail),
        }
    }
}

/// From the right end of one node to the left end of another in a later column; else around the right.
fn path(from: &Box, to: &Box) -> String {
    let (x, y) = (from.x + WIDTH, from.y);
    if to.x > from.x {
        let bend = (to.x - x) / 2;
        // The arrow's head takes the rest.
        let end = to.x - 7;
        format!(
            "M{x} {y}C{} {y} {} {} {end} {}",
            x + bend,
            to.x - bend,
            to.y,
            to.y
        )
    } else {
        let out = x.max(to.x + WIDTH) + 40;
        format!(
            "M{x} {y}C{out} {y} {out} {} {} {}",
            to.y,
            to.x + WIDTH + 7,
            to.y
        )
    }
}

/// The text, or as much of it as fits.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most - 1).collect();
    cut.push('…');
    cut
}
