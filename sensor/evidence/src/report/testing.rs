//! Documents for the tests of how they are shown.

use super::{Block, Document, Edge, Graph, Kind, Moment, Node, Section, Table, Tone, Way};
use sensor_facts::time::Time;

/// What an attacker may call its device.
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\" onload=\"x|[a](javascript:b)\n# `c` *d* _e_ ~~f~~ &amp; \\";

/// A document with [`HOSTILE`] wherever text can stand.
pub(super) fn hostile() -> Document {
    let mut section = Section::new(HOSTILE, &[HOSTILE]);
    section.heading(HOSTILE);
    section.text(HOSTILE);
    section.note(Tone::Bad, HOSTILE);
    section.list([HOSTILE]);
    section
        .blocks
        .push(Block::Steps(vec![(HOSTILE.into(), HOSTILE.into())]));
    let mut table = Table::new(HOSTILE, &[HOSTILE, HOSTILE]);
    table.row([HOSTILE, HOSTILE]);
    section.table(table);
    section.blocks.push(Block::Timeline(vec![Moment {
        time: Time(1_772_000_000_000_000_000),
        kind: HOSTILE.into(),
        what: HOSTILE.into(),
        detail: HOSTILE.into(),
        who: HOSTILE.into(),
        tone: Tone::Open,
    }]));
    let node = |hop, kind| Node {
        name: HOSTILE.into(),
        detail: HOSTILE.into(),
        kind,
        hop,
    };
    section.blocks.push(Block::Graph(Graph {
        caption: HOSTILE.into(),
        nodes: vec![
            node(0, Kind::Suspect),
            node(1, Kind::Clinical),
            node(1, Kind::Other),
        ],
        edges: vec![
            Edge {
                from: 0,
                to: 1,
                label: HOSTILE.into(),
                way: Way::Found,
            },
            Edge {
                from: 1,
                to: 9,
                ..Edge::default()
            },
        ],
    }));
    let mut document = Document::new(HOSTILE, HOSTILE);
    document.notices.push(HOSTILE.into());
    document.fact(HOSTILE, HOSTILE, Tone::Good);
    document.sections.push(section);
    document.made = HOSTILE.into();
    document
}
