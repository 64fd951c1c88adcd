//! Reports: what a hospital shows afterwards, as JSON, Markdown, PDF or a page that prints.
//!
//! A report is plain data that serialises. For people it becomes a [`Document`], which says what is there and not how
//! it looks; [`markdown()`], [`html()`] and [`pdf()`] show any document.

pub mod compliance;
mod document;
mod graph;
mod html;
pub mod incident;
mod markdown;
mod pdf;
mod technique;
mod text;

#[cfg(test)]
mod testing;

pub use document::{Block, Document, Fact, Moment, Section, Table, Tone};
pub use graph::{Edge, Graph, Kind, Node, Way};
pub use html::html;
pub use markdown::markdown;
pub use pdf::pdf;
pub use technique::technique;
pub use text::Text;
pub use text::is_unseen;
