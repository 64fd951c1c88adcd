//! A report as people read it: what is said, in order, and not how it looks.

use super::{Graph, Text};
use sensor_facts::time::Time;

/// A report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What kind of report, above the title.
    pub kind: Text,
    /// What it is about.
    pub title: Text,
    /// What has to be known before anything is read: that names are pseudonyms, that evidence is missing.
    pub notices: Vec<Text>,
    /// What is seen at a glance.
    pub facts: Vec<Fact>,
    /// The rest.
    pub sections: Vec<Section>,
    /// By whom and when it was made.
    pub made: Text,
}

/// How good it is, in words and by colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// It is so.
    #[default]
    Plain,
    /// It is well.
    Good,
    /// Someone has to look at it.
    Open,
    /// It is bad.
    Bad,
}

impl Tone {
    /// A word for it: the HTML class.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Open => "open",
            Self::Bad => "bad",
        }
    }
}

/// A fact in few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// Of what.
    pub name: Text,
    /// The fact itself, in words or as a number.
    pub value: Text,
    /// How good that is.
    pub tone: Tone,
}

/// A part of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// What it is about.
    pub title: Text,
    /// The paragraphs of the law that it serves: `45 CFR 164.308(a)(6)(ii)`.
    pub serves: Vec<Text>,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(Text),
    /// A paragraph.
    Text(Text),
    /// A paragraph that stands out.
    Note(Tone, Text),
    /// Items in no order.
    List(Vec<Text>),
    /// Items in their order: what is to be done, in bold, and why.
    Steps(Vec<(Text, Text)>),
    /// Columns and rows.
    Table(Table),
    /// What happened, in order.
    Timeline(Vec<Moment>),
    /// Who reached whom.
    Graph(Graph),
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: Text,
    /// Names of the columns.
    pub head: Vec<Text>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Text>>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When it happened.
    pub time: Time,
    /// What kind of thing: finding, rule, effect.
    pub kind: Text,
    /// In a line.
    pub what: Text,
    /// More of it; may be empty.
    pub detail: Text,
    /// Who did it; may be empty.
    pub who: Text,
    /// How good it is.
    pub tone: Tone,
}

impl Document {
    /// A report without sections.
    #[must_use]
    pub fn new(kind: &str, title: impl Into<Text>) -> Self {
        Self {
            kind: kind.into(),
            title: title.into(),
            ..Self::default()
        }
    }

    /// Adds a fact.
    pub fn fact(&mut self, name: &str, value: impl Into<Text>, tone: Tone) {
        self.facts.push(Fact {
            name: name.into(),
            value: value.into(),
            tone,
        });
    }
}

impl Section {
    /// A section without blocks, and the paragraphs that it serves.
    #[must_use]
    pub fn new(title: impl Into<Text>, serves: &[&str]) -> Self {
        Self {
            title: title.into(),
            serves: serves.iter().map(Text::from).collect(),
            blocks: Vec::new(),
        }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<Text>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<Text>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a paragraph that stands out.
    pub fn note(&mut self, tone: Tone, text: impl Into<Text>) {
        self.blocks.push(Block::Note(tone, text.into()));
    }

    /// Adds a list; nothing without items.
    pub fn list<T: Into<Text>>(&mut self, items: impl IntoIterator<Item = T>) {
        let items: Vec<Text> = items.into_iter().map(Into::into).collect();
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// Adds a table; nothing without rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(caption: impl Into<Text>, head: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            head: head.iter().map(Text::from).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; what it lacks of the head is empty.
    pub fn row<T: Into<Text>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut cells: Vec<Text> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.head.len(), Text::default());
        self.rows.push(cells);
    }
}
