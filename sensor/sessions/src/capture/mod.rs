//! Packets from a file instead of from the kernel: the portable engine, which runs the kernel's own
//! logic on memory of the process, the reader of capture files, and the replay that joins both with
//! the pipeline.

pub mod engine;
pub mod file;
mod format;
pub mod link;
mod modified;
pub mod packet;
mod source;
mod sweep;
mod table;

pub use engine::PortableEngine;
pub use file::{CaptureError, CaptureFile, Ending};
